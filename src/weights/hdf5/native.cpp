#include "weights/hdf5/native.hpp"

#include <hdf5.h>

#include <array>

#include "base/error.hpp"
#include "base/text.hpp"
#include "weights/hdf5/call.hpp"

namespace wan::hdf5 {
namespace {

Handle copy_of(hid_t type) {
  return {H5Tcopy(type), close_type, {}};
}

/// A 16-bit float with `mantissa` fraction bits, sign on top and the exponent between.
Handle small_float(std::size_t mantissa, std::size_t bias) {
  Handle type = copy_of(H5T_IEEE_F32LE);
  H5Tset_fields(type.id(), 15, mantissa, 15 - mantissa, 0, mantissa);
  H5Tset_size(type.id(), 2);
  H5Tset_precision(type.id(), 16);
  H5Tset_ebias(type.id(), bias);
  return type;
}

}  // namespace

Handle native_type(Type type) {
  switch (type) {
    case Type::u8:
      return copy_of(H5T_STD_U8LE);
    case Type::i32:
      return copy_of(H5T_STD_I32LE);
    case Type::i64:
      return copy_of(H5T_STD_I64LE);
    case Type::u64:
      return copy_of(H5T_STD_U64LE);
    case Type::f16:
      return small_float(10, 15);
    case Type::bf16:
      return small_float(7, 127);
    case Type::f32:
      return copy_of(H5T_IEEE_F32LE);
    case Type::f64:
      return copy_of(H5T_IEEE_F64LE);
  }
  throw InternalError("[hdf5] unknown element type");
}

Type type_from_file(std::int64_t type_id, const std::string& file, const std::string& object) {
  constexpr std::array all{Type::u8,  Type::i32,  Type::i64, Type::u64,
                           Type::f16, Type::bf16, Type::f32, Type::f64};
  for (const Type type : all) {
    if (H5Tequal(type_id, native_type(type).id()) > 0) return type;
  }
  throw DataError(file, object + ": its element type is none of u8, i32, i64, u64, fp16, bf16, fp32, fp64");
}

Shape shape_from_file(std::int64_t dataset_id, const std::string& file, const std::string& object) {
  const Handle space(check(H5Dget_space(dataset_id), Fault::content, file, object, "read the extents"),
                     close_space, {});
  const H5S_class_t kind = H5Sget_simple_extent_type(space.id());
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if ((kind != H5S_SIMPLE && kind != H5S_SCALAR) || rank < 0 || rank > Shape::max_rank) {
    throw DataError(file, cat(object, ": has ", rank, " axes, at most ", Shape::max_rank, " are allowed"));
  }
  std::array<hsize_t, Shape::max_rank> extents{};
  check(H5Sget_simple_extent_dims(space.id(), extents.data(), nullptr), Fault::content, file, object,
        "read the extents");
  Shape shape;
  for (int axis = 0; axis < rank; ++axis) {
    const hsize_t extent = extents[static_cast<std::size_t>(axis)];
    if (extent > (hsize_t{1} << 56)) throw DataError(file, cat(object, ": an extent of ", extent));
    shape.append(static_cast<std::int64_t>(extent));
  }
  if (shape.elements() > (std::int64_t{1} << 56))
    throw DataError(file, object + ": has shape " + shape.text());
  return shape;
}

int close_type(std::int64_t id) {
  return H5Tclose(id);
}
int close_space(std::int64_t id) {
  return H5Sclose(id);
}
int close_list(std::int64_t id) {
  return H5Pclose(id);
}
int close_attribute(std::int64_t id) {
  return H5Aclose(id);
}
int close_dataset(std::int64_t id) {
  return H5Dclose(id);
}
int close_group(std::int64_t id) {
  return H5Gclose(id);
}

}  // namespace wan::hdf5

#include <hdf5.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "weights/hdf5/call.hpp"
#include "weights/hdf5/lock.hpp"
#include "weights/hdf5/native.hpp"
#include "weights/hdf5/object.hpp"
#include "weights/hdf5/open_file.hpp"

namespace wan::hdf5 {
namespace {

/// HDF5 keeps attributes in object headers, which hold less than 64 KiB.
constexpr std::size_t longest_text = 60000;

Handle scalar_space() {
  return {H5Screate(H5S_SCALAR), close_space, {}};
}

Handle text_type(std::size_t bytes) {
  Handle type(H5Tcopy(H5T_C_S1), close_type, {});
  H5Tset_size(type.id(), bytes == 0 ? 1 : bytes);
  H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

void write_scalar(const Handle& owner, const std::string& object, const std::string& key, const Handle& type,
                  const void* value) {
  const std::string& path = owner.file()->path;
  const std::string name = object + " attribute " + key;
  const Handle attribute(
      check(H5Acreate2(owner.id(), key.c_str(), type.id(), scalar_space().id(), H5P_DEFAULT, H5P_DEFAULT),
            Fault::transfer, path, name, "create"),
      close_attribute, {});
  check(H5Awrite(attribute.id(), type.id(), value), Fault::transfer, path, name, "write");
}

Handle open_attribute(const Handle& owner, const std::string& object, const std::string& key) {
  return {check(H5Aopen(owner.id(), key.c_str(), H5P_DEFAULT), Fault::content, owner.file()->path,
                object + " attribute " + key, "open"),
          close_attribute,
          {}};
}

template <class T>
T read_scalar(const Handle& owner, const std::string& object, const std::string& key) {
  const std::string& path = owner.file()->path;
  const std::string name = object + " attribute " + key;
  const Handle attribute = open_attribute(owner, object, key);
  const Handle stored(H5Aget_type(attribute.id()), close_type, {});
  const Handle space(H5Aget_space(attribute.id()), close_space, {});
  const Handle type = native_type(type_for<T>());
  if (H5Sget_simple_extent_npoints(space.id()) != 1 || H5Tequal(stored.id(), type.id()) <= 0) {
    throw DataError(path, name + ": one number of type " + name_of(type_for<T>()) + " is expected");
  }
  T value{};
  check(H5Aread(attribute.id(), type.id(), &value), Fault::content, path, name, "read");
  return value;
}

}  // namespace

bool Group::has_attribute(const std::string& key) const {
  const Lock lock;
  return H5Aexists(handle_.id(), key.c_str()) > 0;
}

void Group::write_attribute(const std::string& key, const std::string& value) {
  const Lock lock;
  if (value.size() > longest_text)
    throw InternalError("[hdf5] attribute " + key + " is too long for its header");
  const Handle type = text_type(value.size());
  write_scalar(handle_, name_, key, type, value.c_str());
}

void Group::write_attribute(const std::string& key, std::int64_t value) {
  const Lock lock;
  write_scalar(handle_, name_, key, native_type(Type::i64), &value);
}

void Group::write_attribute(const std::string& key, double value) {
  const Lock lock;
  write_scalar(handle_, name_, key, native_type(Type::f64), &value);
}

std::string Group::text_attribute(const std::string& key) const {
  const Lock lock;
  const std::string& path = handle_.file()->path;
  const std::string name = name_ + " attribute " + key;
  const Handle attribute = open_attribute(handle_, name_, key);
  const Handle stored(H5Aget_type(attribute.id()), close_type, {});
  const Handle space(H5Aget_space(attribute.id()), close_space, {});
  if (H5Tget_class(stored.id()) != H5T_STRING || H5Tis_variable_str(stored.id()) != 0 ||
      H5Sget_simple_extent_npoints(space.id()) != 1 || H5Tget_size(stored.id()) > longest_text) {
    throw DataError(path, name + ": one text of fixed length is expected");
  }
  std::string value(H5Tget_size(stored.id()), '\0');
  check(H5Aread(attribute.id(), stored.id(), value.data()), Fault::content, path, name, "read");
  value.resize(value.find_last_not_of('\0') + 1);
  return value;
}

std::int64_t Group::integer_attribute(const std::string& key) const {
  const Lock lock;
  return read_scalar<std::int64_t>(handle_, name_, key);
}

double Group::number_attribute(const std::string& key) const {
  const Lock lock;
  return read_scalar<double>(handle_, name_, key);
}

}  // namespace wan::hdf5

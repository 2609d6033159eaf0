#include "weights/hdf5/type.hpp"

#include "base/error.hpp"

namespace wan::hdf5 {

std::int64_t bytes_of(Type type) {
  switch (type) {
    case Type::u8:
      return 1;
    case Type::f16:
    case Type::bf16:
      return 2;
    case Type::i32:
    case Type::f32:
      return 4;
    case Type::i64:
    case Type::u64:
    case Type::f64:
      return 8;
  }
  throw InternalError("[hdf5] unknown element type");
}

std::string name_of(Type type) {
  switch (type) {
    case Type::u8:
      return "u8";
    case Type::i32:
      return "i32";
    case Type::i64:
      return "i64";
    case Type::u64:
      return "u64";
    case Type::f16:
      return "fp16";
    case Type::bf16:
      return "bf16";
    case Type::f32:
      return "fp32";
    case Type::f64:
      return "fp64";
  }
  throw InternalError("[hdf5] unknown element type");
}

Type type_of(DType dtype) {
  switch (dtype) {
    case DType::u8:
      return Type::u8;
    case DType::i32:
      return Type::i32;
    case DType::i64:
      return Type::i64;
    case DType::f16:
      return Type::f16;
    case DType::bf16:
      return Type::bf16;
    case DType::f32:
      return Type::f32;
    case DType::f64:
      return Type::f64;
  }
  throw InternalError("[hdf5] unknown dtype");
}

DType dtype_of(Type type) {
  switch (type) {
    case Type::u8:
      return DType::u8;
    case Type::i32:
      return DType::i32;
    case Type::i64:
      return DType::i64;
    case Type::f16:
      return DType::f16;
    case Type::bf16:
      return DType::bf16;
    case Type::f32:
      return DType::f32;
    case Type::f64:
      return DType::f64;
    case Type::u64:
      break;
  }
  throw InternalError("[hdf5] tensors have no elements of type " + name_of(type));
}

}  // namespace wan::hdf5

#include "tensor/dtype.hpp"

#include <array>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

struct Row {
  DType dtype;
  const char* name;
  std::int64_t bytes;
};

constexpr std::array<Row, 7> rows = {{{DType::f32, "fp32", 4},
                                      {DType::bf16, "bf16", 2},
                                      {DType::f16, "fp16", 2},
                                      {DType::f64, "fp64", 8},
                                      {DType::i64, "int64", 8},
                                      {DType::i32, "int32", 4},
                                      {DType::u8, "uint8", 1}}};

const Row& row_of(DType dtype) {
  for (const Row& row : rows) {
    if (row.dtype == dtype) return row;
  }
  throw InternalError(cat("[dtype] unknown value ", static_cast<int>(dtype)));
}

}  // namespace

std::int64_t bytes_of(DType dtype) {
  return row_of(dtype).bytes;
}

std::string name_of(DType dtype) {
  return row_of(dtype).name;
}

DType dtype_from_name(std::string_view name) {
  std::vector<std::string> names;
  for (const Row& row : rows) {
    if (name == row.name) return row.dtype;
    names.emplace_back(row.name);
  }
  throw ConfigError("", cat("'", name, "' is no element type; allowed: ", join(names, ", ")));
}

}  // namespace wan

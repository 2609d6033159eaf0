#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace wan {

/// Element types of tensors in memory and on disk.
enum class DType : std::uint8_t { f32, bf16, f16, f64, i64, i32, u8 };

[[nodiscard]] std::int64_t bytes_of(DType dtype);
/// "fp32", "bf16", …
[[nodiscard]] std::string name_of(DType dtype);
/// Inverse of name_of; throws ConfigError listing the names allowed.
[[nodiscard]] DType dtype_from_name(std::string_view name);

}  // namespace wan

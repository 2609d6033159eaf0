#pragma once
#include <string>

#include "base/json.hpp"
#include "device/device.hpp"

namespace wan::parity {

/// Storage precision of the run under test.
enum class Precision { fp32, bf16 };

/// One case folder: what case.json says, where the files beside it lie, and what to run it on.
struct Case {
  std::string folder;
  Json description;
  Precision precision;
  Device& device;

  [[nodiscard]] const std::string& kind() const { return description.at("kind").as_string(); }
  [[nodiscard]] std::string file(const std::string& name) const { return folder + "/" + name; }
  [[nodiscard]] DType storage() const { return precision == Precision::fp32 ? DType::f32 : DType::bf16; }
};

}  // namespace wan::parity

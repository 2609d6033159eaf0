#pragma once
#include <cstdint>
#include <vector>

#include "device/device.hpp"
#include "model/parameters.hpp"
#include "model/text/umt5_config.hpp"

namespace wan {

/// Device bytes of an encoder and of one call for prompts of some lengths.
struct Umt5Memory {
  std::int64_t weights = 0;
  std::int64_t activations = 0;
};
[[nodiscard]] Umt5Memory plan_umt5(const Umt5Config& config, DType storage,
                                   const std::vector<std::int64_t>& lengths);

/// The UMT5 text encoder (transformers UMT5EncoderModel; Chung et al. 2023), weights on a device. RMS
/// statistics, softmax and the sums of products are fp32; everything else is in the storage dtype.
class Umt5Encoder {
 public:
  /// Reads the weights by transformers' names. `storage` of weights and activations: fp32 or bf16.
  Umt5Encoder(Device& device, const Umt5Config& config, const Parameters::Source& source, DType storage);

  /// Encodes prompts of any lengths together, each given by its token ids with the end token and without
  /// padding (which no token would see anyway). Returns the last hidden states [sum of lengths, d_model] in
  /// storage dtype, prompt after prompt, device memory, valid until the next call. Throws Error (data) for an
  /// id outside the vocabulary.
  [[nodiscard]] Tensor encode(const std::vector<std::vector<std::int32_t>>& prompts);

  [[nodiscard]] const Umt5Config& config() const { return config_; }
  /// Bytes of activations for prompts of these lengths; memory is kept for the most seen so far.
  [[nodiscard]] std::int64_t activation_bytes(const std::vector<std::int64_t>& lengths) const;

 private:
  Device* device_;
  Umt5Config config_;
  DType storage_;
  Parameters parameters_;
  DeviceBuffer activations_;
};

}  // namespace wan

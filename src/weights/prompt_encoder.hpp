#pragma once
#include <string>
#include <vector>

#include "device/device.hpp"
#include "weights/model_parts.hpp"

namespace wan {

/// Prompts and captions to embeddings: cleaned, cut into tokens, encoded. The last one is kept, since all
/// clips of a video share it.
class PromptEncoder {
 public:
  /// Loads the text encoder of `model`, which must outlive this.
  PromptEncoder(Device& device, const ModelParts& model);

  /// [tokens, width] of the text, row-major; valid until the next call.
  [[nodiscard]] const std::vector<float>& encode(const std::string& text);

 private:
  Device& device_;
  const Tokenizer& tokenizer_;
  Umt5Encoder encoder_;
  std::string text_;
  std::vector<float> embedding_;
};

}  // namespace wan

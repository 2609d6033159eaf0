#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>

#include "data/source.hpp"
#include "device/device.hpp"
#include "weights/model_parts.hpp"

namespace wan {

/// The embeddings of the prompts that a rank needs, each text encoded once. The text encoder is loaded while
/// this is made and is gone afterwards.
class PromptTexts {
 public:
  /// `stop` is asked before each batch of texts; when it says so, the rest stays out.
  PromptTexts(Device& device, const ModelParts& model, const std::set<std::string>& texts,
              const std::function<bool()>& stop);

  [[nodiscard]] double load_ms() const { return load_ms_; }
  [[nodiscard]] double text_ms() const { return text_ms_; }  ///< encoding alone

  [[nodiscard]] const TextEmbedding& at(const std::string& text) const { return embeddings_.at(text); }

 private:
  std::map<std::string, TextEmbedding> embeddings_;
  double load_ms_ = 0;
  double text_ms_ = 0;
};

}  // namespace wan

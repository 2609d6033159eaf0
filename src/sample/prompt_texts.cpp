#include "sample/prompt_texts.hpp"

#include "weights/prompt_encoder.hpp"

namespace wan {

PromptTexts::PromptTexts(Device& device, const ModelParts& model, const std::set<std::string>& texts,
                         const std::function<bool()>& stop) {
  PromptEncoder encoder(device, model);
  for (const std::string& text : texts) {
    if (stop()) return;
    TextEmbedding& embedding = embeddings_[text];
    embedding.values = encoder.encode(text);
    embedding.width = model.text_encoder.d_model;
    embedding.rows = static_cast<std::int64_t>(embedding.values.size()) / embedding.width;
  }
}

}  // namespace wan

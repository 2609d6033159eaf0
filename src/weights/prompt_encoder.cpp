#include "weights/prompt_encoder.hpp"

#include "model/text/clean.hpp"

namespace wan {

PromptEncoder::PromptEncoder(Device& device, const ModelParts& model)
    : device_(device), tokenizer_(model.tokenizer), encoder_(load_text_encoder(device, model)) {}

const std::vector<float>& PromptEncoder::encode(const std::string& text) {
  if (!embedding_.empty() && text == text_) return embedding_;
  const Tensor states = encoder_.encode({tokenizer_.ids(clean_prompt(text))});
  embedding_.resize(static_cast<std::size_t>(states.elements()));
  Parameters::download(device_, states, embedding_.data());
  text_ = text;
  return embedding_;
}

}  // namespace wan

#include "sample/prompt_texts.hpp"

#include <deque>
#include <vector>

#include "sample/stage_times.hpp"
#include "weights/prompt_encoder.hpp"

namespace wan {

PromptTexts::PromptTexts(Device& device, const ModelParts& model, const std::set<std::string>& texts,
                         const std::function<bool()>& stop) {
  const StopWatch loading;
  PromptEncoder encoder(device, model);
  load_ms_ = loading.ms();
  const StopWatch encoding;
  const std::vector<std::string> all(texts.begin(), texts.end());
  std::vector<std::int64_t> tokens;
  for (const std::string& text : all) tokens.push_back(encoder.tokens(text));
  std::deque<std::vector<std::string>> started;
  const auto keep_first = [&] {
    std::vector<std::vector<float>> values = encoder.take();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto rows = static_cast<std::int64_t>(values[i].size()) / model.text_encoder.d_model;
      embeddings_[started.front()[i]] = {rows, model.text_encoder.d_model, std::move(values[i])};
    }
    started.pop_front();
  };
  for (const std::vector<std::size_t>& batch : text_batches(tokens, device.kind())) {
    if (stop()) break;
    std::vector<std::string>& batch_texts = started.emplace_back();
    for (const std::size_t text : batch) batch_texts.push_back(all[text]);
    encoder.start(batch_texts);
    if (encoder.under_way() == 2) keep_first();
  }
  while (encoder.under_way() > 0) keep_first();
  text_ms_ = encoding.ms();
}

}  // namespace wan

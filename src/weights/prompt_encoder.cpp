#include "weights/prompt_encoder.hpp"

#include <algorithm>
#include <numeric>

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "model/text/clean.hpp"

namespace wan {
namespace {

constexpr std::int64_t enough_tokens = texts_at_once * Tokenizer::wan_max_length;

std::vector<float> widened(const void* from, DType dtype, std::int64_t first, std::int64_t count) {
  std::vector<float> out(static_cast<std::size_t>(count));
  if (dtype == DType::f32) {
    std::copy_n(static_cast<const float*>(from) + first, count, out.begin());
  } else {
    std::transform(static_cast<const bf16*>(from) + first, static_cast<const bf16*>(from) + first + count,
                   out.begin(), [](bf16 value) { return to_float(value); });
  }
  return out;
}

}  // namespace

std::vector<std::vector<std::size_t>> text_batches(const std::vector<std::int64_t>& tokens,
                                                   DeviceKind device) {
  const std::int64_t most = device == DeviceKind::host ? 0 : enough_tokens;
  std::vector<std::size_t> order(tokens.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (most > 0) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return tokens[a] < tokens[b]; });
  }
  std::vector<std::vector<std::size_t>> batches;
  std::int64_t held = 0;
  for (const std::size_t text : order) {
    if (batches.empty() || held + tokens[text] > most) {
      batches.emplace_back();
      held = 0;
    }
    batches.back().push_back(text);
    held += tokens[text];
  }
  return batches;
}

PromptEncoder::PromptEncoder(Device& device, const ModelParts& model)
    : device_(device), tokenizer_(model.tokenizer), encoder_(load_text_encoder(device, model)) {}

std::int64_t PromptEncoder::tokens(const std::string& text) const {
  return static_cast<std::int64_t>(tokenizer_.ids(clean_prompt(text)).size());
}

void PromptEncoder::start(const std::vector<std::string>& texts) {
  if (batches_.size() == buffers_.size()) throw InternalError("[prompts] two batches are under way");
  Batch batch;
  std::vector<std::vector<std::int32_t>> ids;
  for (const std::string& text : texts) {
    ids.push_back(tokenizer_.ids(clean_prompt(text)));
    batch.rows.push_back(static_cast<std::int64_t>(ids.back().size()));
  }
  const Tensor states = encoder_.encode(ids);
  batch.buffer = next_buffer_;
  next_buffer_ = 1 - next_buffer_;
  batch.dtype = states.dtype;
  PinnedBuffer& buffer = buffers_[batch.buffer];
  if (buffer.bytes() < states.bytes()) {
    buffer = PinnedBuffer();
    buffer = PinnedBuffer(device_, states.bytes());
  }
  device_.copy(buffer.data(), states.data, states.bytes());
  batch.there = device_.record();
  batches_.push_back(std::move(batch));
}

std::vector<std::vector<float>> PromptEncoder::take() {
  if (batches_.empty()) throw InternalError("[prompts] no batch is under way");
  const Batch batch = std::move(batches_.front());
  batches_.pop_front();
  device_.await(batch.there);
  const std::int64_t width = encoder_.config().d_model;
  std::vector<std::vector<float>> out;
  std::int64_t first = 0;
  for (const std::int64_t rows : batch.rows) {
    out.push_back(widened(buffers_[batch.buffer].data(), batch.dtype, first * width, rows * width));
    first += rows;
  }
  return out;
}

std::vector<float> PromptEncoder::encode(const std::string& text) {
  if (!batches_.empty()) throw InternalError("[prompts] a batch is under way");
  start({text});
  return std::move(take().front());
}

}  // namespace wan

#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "device/pinned_buffer.hpp"
#include "weights/model_parts.hpp"

namespace wan {

/// Longest texts that a GPU encodes together: with more, none is done sooner.
inline constexpr std::int64_t texts_at_once = 8;

/// Which texts, by their place in `tokens`, go through the encoder together. On a GPU such that their tokens
/// fill it (a prompt of 60 tokens takes as long as one of 600), those of like length together; on the host
/// each alone, for nothing is gained there and its bits then depend on nobody.
[[nodiscard]] std::vector<std::vector<std::size_t>> text_batches(const std::vector<std::int64_t>& tokens,
                                                                 DeviceKind device);

/// Prompts and captions to embeddings: cleaned, cut into tokens, encoded. The device encodes one batch while
/// the host reads the one before.
class PromptEncoder {
 public:
  /// Loads the text encoder of `model`, which must outlive this.
  PromptEncoder(Device& device, const ModelParts& model);

  /// Number of tokens of a text.
  [[nodiscard]] std::int64_t tokens(const std::string& text) const;

  /// Starts the encoding of texts that go through together. Two batches may be under way.
  void start(const std::vector<std::string>& texts);
  /// Batches started and not taken.
  [[nodiscard]] std::size_t under_way() const { return batches_.size(); }
  /// Waits for the batch that was started first; of each text [tokens, width] row-major.
  [[nodiscard]] std::vector<std::vector<float>> take();

  /// One text alone; no batch may be under way.
  [[nodiscard]] std::vector<float> encode(const std::string& text);

 private:
  struct Batch {
    std::size_t buffer = 0;
    std::vector<std::int64_t> rows;
    DType dtype = DType::f32;
    Event there;
  };

  Device& device_;
  const Tokenizer& tokenizer_;
  Umt5Encoder encoder_;
  std::array<PinnedBuffer, 2> buffers_;
  std::size_t next_buffer_ = 0;
  std::deque<Batch> batches_;
};

}  // namespace wan

#include "model/text/tokenizer.hpp"

#include <sentencepiece_processor.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "model/text/special_tokens.hpp"

namespace wan {

struct Tokenizer::State {
  std::string path;
  sentencepiece::SentencePieceProcessor processor;
  TokenizerSettings settings;
  std::int32_t end = 0;
  std::int32_t pad = 0;
  std::int64_t vocabulary = 0;

  void load(const std::string& file) {
    constexpr std::int64_t largest_model = std::int64_t{64} << 20;
    path = file;
    const std::string content = read_file(file, largest_model);
    const auto status = processor.LoadFromSerializedProto(content);
    if (!status.ok()) throw DataError(file, cat("is no SentencePiece model: ", status.ToString()));
    end = processor.eos_id();
    if (end < 0) throw DataError(file, "has no end-of-sentence piece");
    pad = std::max(processor.pad_id(), 0);
    vocabulary = processor.GetPieceSize();
  }

  /// The id of `piece`, or -1 if there is none of that name.
  [[nodiscard]] std::int32_t id_of(const std::string& piece) const {
    const std::int32_t id = processor.PieceToId(piece);
    return processor.IdToPiece(id) == piece ? id : -1;
  }

  void append_pieces(std::string_view text, std::vector<std::int32_t>& out) const {
    std::vector<int> pieces;
    const auto status = processor.Encode(absl::string_view(text.data(), text.size()), &pieces);
    if (!status.ok()) throw InternalError(cat(path, ": ", status.ToString()));
    bool in_unknown_run = false;
    for (const int id : pieces) {
      const bool byte = !settings.byte_fallback && processor.IsByte(id);
      if (!byte) {
        out.push_back(id);
      } else if (!in_unknown_run) {
        out.push_back(processor.unk_id());
      }
      in_unknown_run = byte;
    }
  }
};

Tokenizer::Tokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::from_sentencepiece(const std::string& path) {
  auto state = std::make_unique<State>();
  state->load(path);
  return Tokenizer(std::move(state));
}

Tokenizer Tokenizer::from_model_folder(const std::string& folder) {
  const std::string tokenizer_folder = folder + "/tokenizer";
  auto state = std::make_unique<State>();
  state->load(tokenizer_folder + "/spiece.model");
  state->settings = read_tokenizer_settings(tokenizer_folder, state->processor.GetPieceSize(),
                                            [&](const std::string& piece) { return state->id_of(piece); });
  for (const SpecialToken& token : state->settings.special) {
    state->vocabulary = std::max<std::int64_t>(state->vocabulary, std::int64_t{token.id} + 1);
  }
  return Tokenizer(std::move(state));
}

std::vector<std::int32_t> Tokenizer::ids(std::string_view clean_text, std::int64_t max_length) const {
  if (max_length < 1)
    throw InternalError(cat("a token limit of ", max_length, " leaves no room for the end mark"));
  std::vector<std::int32_t> out;
  for (const TextPart& part : split_at_special_tokens(clean_text, state_->settings.special)) {
    if (part.token != nullptr) {
      out.push_back(part.token->id);
    } else {
      state_->append_pieces(part.text, out);
    }
  }
  out.resize(std::min(out.size(), static_cast<std::size_t>(max_length - 1)));
  out.push_back(state_->end);
  return out;
}

std::int32_t Tokenizer::end_id() const {
  return state_->end;
}
std::int32_t Tokenizer::pad_id() const {
  return state_->pad;
}
std::int32_t Tokenizer::unknown_id() const {
  return state_->processor.unk_id();
}
std::int64_t Tokenizer::vocabulary_size() const {
  return state_->vocabulary;
}

}  // namespace wan

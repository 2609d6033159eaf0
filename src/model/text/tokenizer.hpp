#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wan {

/// A SentencePiece unigram tokenizer with the conventions of T5 and UMT5: no begin mark, "</s>" at the end.
/// Reading from several threads at once is safe.
class Tokenizer {
 public:
  /// Text rows of the Wan models, the end mark included.
  static constexpr std::int64_t wan_max_length = 512;

  /// `folder`/tokenizer of a model folder in the diffusers layout: spiece.model and, where they lie beside
  /// it, tokenizer.json or tokenizer_config.json. As Hugging Face's tokenizers do, special tokens written out
  /// in a text become their ids. Characters outside the vocabulary become the model's byte pieces, unless
  /// tokenizer.json says that byte fallback is off: then a run of them is one unknown token. Throws
  /// NoInputError (no spiece.model), DataError (a file that is not what its name says).
  [[nodiscard]] static Tokenizer from_model_folder(const std::string& folder);

  /// A SentencePiece file alone: nothing in a text is special. Errors as from_model_folder.
  [[nodiscard]] static Tokenizer from_sentencepiece(const std::string& path);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Ids of `clean_text` (UTF-8, see clean_prompt), cut so that with the end mark they are at most
  /// `max_length`.
  [[nodiscard]] std::vector<std::int32_t> ids(std::string_view clean_text,
                                              std::int64_t max_length = wan_max_length) const;

  [[nodiscard]] std::int32_t end_id() const;
  [[nodiscard]] std::int32_t pad_id() const;
  [[nodiscard]] std::int32_t unknown_id() const;
  /// One past the largest id that `ids` can return.
  [[nodiscard]] std::int64_t vocabulary_size() const;

 private:
  struct State;
  explicit Tokenizer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wan

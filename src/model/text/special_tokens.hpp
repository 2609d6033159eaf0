#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace wan {

/// A token that is found in a text before SentencePiece sees it.
struct SpecialToken {
  std::string content;
  std::int32_t id = 0;
  bool strips_left = false;   ///< swallows the white space before it
  bool strips_right = false;  ///< swallows the white space after it
};

/// What the files beside spiece.model say about it.
struct TokenizerSettings {
  std::vector<SpecialToken> special;
  bool byte_fallback = true;  ///< false only where tokenizer.json says so
};

/// Reads tokenizer.json if it is there, else tokenizer_config.json, else gives "</s>", "<pad>" and "<unk>".
/// `pieces` is the number of SentencePiece's pieces (numbered extra ids follow them, T5 counts them
/// backwards) and `id_of` the id of a piece or -1. Throws DataError naming file and key.
[[nodiscard]] TokenizerSettings read_tokenizer_settings(
    const std::string& tokenizer_folder, std::int32_t pieces,
    const std::function<std::int32_t(const std::string&)>& id_of);

/// A stretch of text, or one special token.
struct TextPart {
  std::string_view text;
  const SpecialToken* token = nullptr;  ///< not null: the token, and `text` is what it took
};

/// Cuts `text` at the special tokens: leftmost first, the longest where several begin at one place.
[[nodiscard]] std::vector<TextPart> split_at_special_tokens(std::string_view text,
                                                            const std::vector<SpecialToken>& special);

}  // namespace wan

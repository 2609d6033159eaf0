#pragma once
#include <string>
#include <string_view>

namespace wan {

/// A prompt or caption as the text encoder was trained to see it (prompt_clean of diffusers' pipeline_wan.py,
/// clean "whitespace" of Wan2.1's tokenizers.py): fix_text, html.unescape twice, and every run of white space
/// one space, none at the ends. Input and output are UTF-8; broken input bytes become U+FFFD.
[[nodiscard]] std::string clean_prompt(std::string_view utf8);

}  // namespace wan

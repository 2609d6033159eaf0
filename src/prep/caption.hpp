#pragma once
#include <string>

namespace wan {

/// The caption of a video, from the file beside it that has its name with another ending: `.json`, an object
/// whose "caption" is text; or, where that is missing, `.jsonl`: of the first line that is a JSON object, the
/// first text among the keys vila_caption, gemini_v2_caption, caption, text, else its first text (the orders
/// of NeMo DFM's two preparation scripts). Throws Reject missing_caption or malformed_caption.
[[nodiscard]] std::string read_caption(const std::string& video);

}  // namespace wan

#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace wan {

/// A video or clip that cannot be used. `reason` is one word for rejects.csv, `detail` a sentence.
struct Reject : std::runtime_error {
  Reject(std::string one_word, std::string sentence)
      : std::runtime_error(one_word + ": " + sentence),
        reason(std::move(one_word)),
        detail(std::move(sentence)) {}
  std::string reason;
  std::string detail;
};

/// "reason: detail", where the detail does not begin with `path`, the file's place on this machine: equal
/// inputs are to give equal data sets wherever they lie.
[[nodiscard]] std::string reject_text(std::string_view reason, std::string_view detail,
                                      std::string_view path);

}  // namespace wan

#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "media/rational.hpp"
#include "support/run_command.hpp"

/// wan-prep on small videos, with the demo's model.
namespace wan::test {

/// How a test's video looks: grey noise of its own seed that moves.
struct DrawnVideo {
  std::int64_t frames = 9;
  std::int64_t width = 32;
  std::int64_t height = 32;
  Rational rate{16, 1};
  std::uint64_t seed = 0;
};

/// Writes `folder`/`name` (.mp4) and, unless the caption is empty, a .json beside it.
void draw_video(const std::string& folder, const std::string& name, const DrawnVideo& video,
                const std::string& caption);

/// The words that start wan-prep on `ranks` ranks: `videos` to `output`, then `flags`.
[[nodiscard]] std::vector<std::string> prep_command(int ranks, const std::string& videos,
                                                    const std::string& output,
                                                    const std::vector<std::string>& flags);
[[nodiscard]] CommandResult run_prep_command(int ranks, const std::string& videos, const std::string& output,
                                             const std::vector<std::string>& flags);

/// Hash of every file of a data set by its name; the folder of locks is not part of it.
[[nodiscard]] std::map<std::string, std::string> dataset_bytes(const std::string& folder);

}  // namespace wan::test

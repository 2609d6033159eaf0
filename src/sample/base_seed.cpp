#include "sample/base_seed.hpp"

#include <cstdlib>
#include <filesystem>
#include <random>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"

namespace wan {
namespace {

constexpr std::int64_t longest_note = 64;

/// The number in the file, or 0, which is never drawn.
std::uint64_t noted_seed(const std::string& note) {
  if (!std::filesystem::exists(note)) return 0;
  return std::strtoull(read_file(note, longest_note).c_str(), nullptr, 10);
}

std::uint64_t drawn_seed() {
  std::random_device entropy;
  return 1 + entropy() % 0x7fffffffU;
}

}  // namespace

BaseSeed::BaseSeed(const Runtime& runtime, const SampleOptions& options, const Hash128& job) {
  if (options.base_seed >= 0) {
    value_ = static_cast<std::uint64_t>(options.base_seed);
    return;
  }
  note_ = cat(options.output_dir, "/.base_seed-", to_hex(job).substr(0, 16));
  std::string text;
  do_together(runtime.world(), [&] {
    if (runtime.rank() != 0) return;
    value_ = noted_seed(note_);
    const bool again = value_ != 0;
    if (!again) {
      value_ = drawn_seed();
      write_file_atomically(note_, cat(value_, "\n"));
    }
    log::info(cat("base_seed ", value_, again ? ", as drawn when this job was first started" : ""));
    text = cat(value_);
  });
  value_ = std::stoull(broadcast_text(runtime.world(), text));
}

void BaseSeed::forget() const {
  if (note_.empty()) return;
  std::error_code gone_already;
  std::filesystem::remove(note_, gone_already);
}

}  // namespace wan

#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace wan {

/// What encoding has cost this rank so far.
struct EncodeCosts {
  std::int64_t clips = 0;
  double decode_s = 0;  ///< of the thread that decoded, which runs beside the VAE
  double vae_s = 0;     ///< from clip to clip, waiting for frames included
  double write_s = 0;   ///< of the thread that writes, which runs beside both
  std::int64_t texts = 0;
  double text_s = 0;
};

/// How far all ranks are.
struct EncodeCount {
  std::int64_t done = 0;
  std::int64_t rejected = 0;
  std::int64_t total = 0;
};

/// Texts are encoded before clips.
enum class EncodeStage { texts, clips };

/// Tells how a preparation goes on: a bar on a terminal, one line per interval in a batch log.
class Progress {
 public:
  /// `interval_s` is that of the log; a bar is drawn five times a second.
  Progress(EncodeStage stage, const EncodeCount& start, bool terminal, double interval_s = 30);

  /// Whether it is time to tell; asked before a count that costs something is made.
  [[nodiscard]] bool due() const;
  void tell(const EncodeCount& now, const EncodeCosts& costs);
  /// The last word, whatever the interval.
  void finish(const EncodeCount& now, const EncodeCosts& costs);

  /// "prep clips=3/12 rejects=1 clips_per_s=0.52 decode_ms=11 vae_ms=1800 write_ms=3 text_ms=20 eta_s=17", or
  /// of texts "prep texts=3/12 texts_per_s=52 text_ms=20 eta_s=1": costs per clip and per text of this rank,
  /// clips, texts and rejects of all.
  [[nodiscard]] static std::string line(EncodeStage stage, const EncodeCount& start, const EncodeCount& now,
                                        const EncodeCosts& costs, double elapsed_s);
  /// "[#####.....]  50 %  6/12 clips, 1 reject, 0.5/s, 12 s left", of at most `width` columns.
  [[nodiscard]] static std::string bar(EncodeStage stage, const EncodeCount& start, const EncodeCount& now,
                                       double elapsed_s, int width = 78);

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] double elapsed_s() const;

  EncodeStage stage_;
  EncodeCount start_;
  bool terminal_;
  double interval_s_;
  Clock::time_point begin_;
  Clock::time_point told_;
};

}  // namespace wan

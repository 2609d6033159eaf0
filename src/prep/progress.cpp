#include "prep/progress.hpp"

#include <algorithm>
#include <cstdio>

#include "base/log.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

/// Clips or texts of this start per second, and seconds that the rest will take at that rate.
struct Rate {
  Rate(const EncodeCount& start, const EncodeCount& now, double elapsed_s) {
    const std::int64_t since = now.done + now.rejected - start.done - start.rejected;
    if (elapsed_s > 0) per_s = static_cast<double>(since) / elapsed_s;
    const std::int64_t left = now.total - now.done - now.rejected;
    if (left == 0) {
      eta_s = 0;
    } else if (per_s > 0) {
      eta_s = static_cast<double>(left) / per_s;
    }
  }
  double per_s = 0;
  double eta_s = -1;  ///< unknown
};

std::string fixed(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

/// Milliseconds of each.
std::string each_ms(double seconds, std::int64_t count) {
  return fixed(1e3 * seconds / static_cast<double>(std::max<std::int64_t>(1, count)), 1);
}

}  // namespace

Progress::Progress(EncodeStage stage, const EncodeCount& start, bool terminal, double interval_s)
    : stage_(stage),
      start_(start),
      terminal_(terminal),
      interval_s_(terminal ? 0.2 : interval_s),
      begin_(Clock::now()),
      told_(begin_) {}

bool Progress::due() const {
  return std::chrono::duration<double>(Clock::now() - told_).count() >= interval_s_;
}

double Progress::elapsed_s() const {
  return std::chrono::duration<double>(Clock::now() - begin_).count();
}

void Progress::tell(const EncodeCount& now, const EncodeCosts& costs) {
  told_ = Clock::now();
  if (terminal_) {
    std::fprintf(stderr, "\r%s", bar(stage_, start_, now, elapsed_s()).c_str());
    std::fflush(stderr);
  } else {
    log::info(line(stage_, start_, now, costs, elapsed_s()));
  }
}

void Progress::finish(const EncodeCount& now, const EncodeCosts& costs) {
  if (terminal_) std::fprintf(stderr, "\r%s\n", bar(stage_, start_, now, elapsed_s()).c_str());
  log::info(line(stage_, start_, now, costs, elapsed_s()));
}

std::string Progress::line(EncodeStage stage, const EncodeCount& start, const EncodeCount& now,
                           const EncodeCosts& costs, double elapsed_s) {
  const Rate rate(start, now, elapsed_s);
  const std::string text_ms = each_ms(costs.text_s, costs.texts);
  const std::string eta = " eta_s=" + (rate.eta_s < 0 ? std::string("?") : fixed(rate.eta_s, 0));
  if (stage == EncodeStage::texts) {
    return cat("prep texts=", now.done, "/", now.total, " texts_per_s=", fixed(rate.per_s, 3),
               " text_ms=", text_ms, eta);
  }
  return cat("prep clips=", now.done + now.rejected, "/", now.total, " rejects=", now.rejected,
             " clips_per_s=", fixed(rate.per_s, 3), " decode_ms=", each_ms(costs.decode_s, costs.clips),
             " vae_ms=", each_ms(costs.vae_s, costs.clips), " write_ms=", each_ms(costs.write_s, costs.clips),
             " text_ms=", text_ms, eta);
}

std::string Progress::bar(EncodeStage stage, const EncodeCount& start, const EncodeCount& now,
                          double elapsed_s, int width) {
  const Rate rate(start, now, elapsed_s);
  const std::int64_t gone = now.done + now.rejected;
  const double share = now.total == 0 ? 1 : static_cast<double>(gone) / static_cast<double>(now.total);
  const std::string what = stage == EncodeStage::texts ? " texts, "
                                                       : cat(" clips, ", now.rejected,
                                                             now.rejected == 1 ? " reject, " : " rejects, ");
  const std::string text =
      cat("  ", fixed(100 * share, 0), " %  ", gone, "/", now.total, what, fixed(rate.per_s, 2), "/s, ",
          rate.eta_s < 0 ? std::string("?") : fixed(rate.eta_s, 0), " s left");
  const int room = std::max(5, width - static_cast<int>(text.size()) - 2);
  const auto filled = static_cast<int>(share * room);
  return "[" + std::string(static_cast<std::size_t>(filled), '#') +
         std::string(static_cast<std::size_t>(room - filled), '.') + "]" + text;
}

}  // namespace wan

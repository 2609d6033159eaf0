#include "prep/encode_pass.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "prep/clip_encoder.hpp"
#include "prep/reject.hpp"
#include "prep/work_sharing.hpp"

namespace wan {
namespace {

/// Frames of one clip that wait for the encoder: a whole 81-frame clip of 480 × 832 is 97 MB.
constexpr std::int64_t waiting_bytes = std::int64_t{128} << 20;
/// A clip that takes longer than this hangs.
constexpr double longest_clip_s = 7200;

using Clock = std::chrono::steady_clock;

/// One rank's encoding of its share of some open shards.
class ClipEncoding {
 public:
  ClipEncoding(Runtime& runtime, Device& device, const PrepJob& job, const ModelParts& model,
               EncodeCosts& costs)
      : runtime_(runtime),
        job_(job),
        vae_(load_vae(device, model, VaeParts::encoder)),
        clips_(vae_, job.settings.latents == "sample"
                         ? std::optional(static_cast<std::uint64_t>(job.settings.seed))
                         : std::nullopt),
        costs_(costs) {}

  void run(std::vector<Shard>& window, std::vector<SourceTask> share, PassProgress& progress) {
    const int threads = std::max(1, runtime_.threads(job_.threads) / 4);
    DecodeAhead decoding(std::move(share), job_.rules, threads, waiting_bytes);
    Watchdog::Watch watch(runtime_.watchdog(), "encoding clips", longest_clip_s);
    DecodeAhead::Stream stream;
    while (!runtime_.signals().stop_asked() && decoding.next(stream)) {
      encode(window[static_cast<std::size_t>(stream.task.shard)], stream);
      watch.beat();
      progress.tell(window, costs_);
    }
  }

 private:
  void encode(Shard& shard, const DecodeAhead::Stream& stream) {
    const Row& row = shard.plan().table.rows[static_cast<std::size_t>(stream.task.row)];
    try {
      const Clock::time_point begin = Clock::now();
      const std::vector<float> latent = clips_.encode(row, *stream.frames);
      costs_.vae_s += std::chrono::duration<double>(Clock::now() - begin).count();
      costs_.decode_s += stream.frames->decode_s();
      ++costs_.clips;
      shard.write_latent(stream.task.row, latent);
    } catch (const Reject& reject) {
      const std::string text =
          reject_text(reject.reason, reject.detail, job_.video_folder + "/" + row.source);
      shard.reject_row(stream.task.row, text);
      log::warn(cat("rejected ", row.source, ", frames from ", row.frame_start, ": ", text));
    }
    stream.frames->abandon();
  }

  Runtime& runtime_;
  const PrepJob& job_;
  Vae vae_;
  ClipEncoder clips_;
  EncodeCosts& costs_;
};

}  // namespace

PassResult encode_clips(Runtime& runtime, Device& device, const PrepJob& job, const ModelParts& model,
                        const std::vector<std::int64_t>& numbers, EncodeCosts& costs) {
  const Communicator& world = runtime.world();
  std::vector<std::int64_t> pending;
  EncodeCount start;
  do_together(world, [&] {
    for (const std::int64_t number : numbers) {
      const EncodeCount count = count_clips(read_shard(job, number));
      start = {start.done + count.done, start.rejected + count.rejected, start.total + count.total};
      if (count.done + count.rejected < count.total) pending.push_back(number);
    }
  });
  if (pending.empty()) return PassResult::complete;
  if (runtime.rank() == 0 && start.done > 0)
    log::info(cat("continuing: ", start.done, " clips are done already"));

  std::optional<ClipEncoding> encoding;
  do_together(world, [&] { encoding.emplace(runtime, device, job, model, costs); });
  PassProgress progress(runtime, EncodeStage::clips, start, count_clips);
  std::vector<SourceTask> share;
  WindowPass pass;
  pass.prepare = [&](std::vector<Shard>& window) {
    progress.enter(window);
    share = share_of(pending_sources(window, job.video_folder), runtime.rank(), runtime.size());
  };
  pass.work = [&](std::vector<Shard>& window) { encoding->run(window, std::move(share), progress); };
  pass.settle = [&](std::vector<Shard>& window) { progress.leave(window); };
  const PassResult result = walk_windows(runtime, job, pending, pass);
  if (result == PassResult::complete) progress.finish(costs);
  return result;
}

std::optional<std::int64_t> verify_shards(Runtime& runtime, const PrepJob& job,
                                          const std::vector<std::int64_t>& numbers) {
  std::int64_t differing = 0;
  WindowPass pass;
  std::vector<std::vector<RowState>> states;
  pass.prepare = [&](std::vector<Shard>& window) {
    states.clear();
    for (const Shard& shard : window) states.push_back(shard.states());
  };
  pass.work = [&](std::vector<Shard>& window) {
    for (std::size_t s = 0; s < window.size(); ++s) {
      for (std::int64_t row = runtime.rank(); row < window[s].rows(); row += runtime.size()) {
        if (states[s][static_cast<std::size_t>(row)] != RowState::done || window[s].verify_row(row)) continue;
        log::warn(cat(window[s].path(), " row ", row, " differs from what was written; it is encoded again"));
        window[s].clear_row(row);
        ++differing;
      }
    }
  };
  pass.settle = [](std::vector<Shard>&) {};
  if (walk_windows(runtime, job, numbers, pass) == PassResult::stopped) return std::nullopt;
  return sum_over(runtime.world(), differing);
}

}  // namespace wan

#include "prep/encode_pass.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"
#include "base/worker.hpp"
#include "comm/agree.hpp"
#include "prep/clip_encoder.hpp"
#include "prep/prep_advice.hpp"
#include "prep/reject.hpp"
#include "prep/work_sharing.hpp"

namespace wan {
namespace {

/// A clip that takes longer than this hangs.
constexpr double longest_clip_s = 7200;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// On the host the VAE takes most of the cores. Beside a GPU one thread gathers frames and one writes;
/// decoding and resizing, which take many times the GPU's time, have the others.
int decode_threads(DeviceKind kind, int threads) {
  return std::max(1, kind == DeviceKind::host ? threads / 4 : threads - 2);
}

/// Frames of one clip that wait for the encoder: all of it, if possible, or a thread that has begun a clip
/// stands still until the encoder comes to it. 81 frames of 480 × 832 are 97 MB, of 720 × 1280 224 MB.
std::int64_t waiting_bytes(int threads) {
  constexpr std::int64_t least = std::int64_t{128} << 20;
  constexpr std::int64_t of_all = std::int64_t{4} << 30;
  return std::max(least, of_all / (threads + 1));
}

/// One rank's encoding of its share of some open shards: clips are decoded on some threads, gathered for the
/// device on this one, and written on another, so that the device need not wait for any of them.
class ClipEncoding {
 public:
  ClipEncoding(Runtime& runtime, Device& device, const PrepJob& job, const ModelParts& model,
               EncodeCosts& costs)
      : runtime_(runtime),
        device_(device),
        job_(job),
        vae_(load_vae(device, model, VaeParts::encoder)),
        clips_(vae_, job.tiling),
        costs_(costs) {
    if (job.settings.latents == "sample") sample_seed_ = static_cast<std::uint64_t>(job.settings.seed);
  }

  [[nodiscard]] int decode_threads() const {
    return wan::decode_threads(device_.kind(), runtime_.threads(job_.threads));
  }

  void run(std::vector<Shard>& window, std::vector<SourceTask> share, PassProgress& progress) {
    const int threads = decode_threads();
    Worker writing(2);
    DecodeAhead decoding(std::move(share), job_.rules, threads, waiting_bytes(threads));
    Watchdog::Watch watch(runtime_.watchdog(), "encoding clips", longest_clip_s);
    Clock::time_point begin = Clock::now();
    std::optional<StartedClip> before;
    const auto hand_over = [&](std::optional<StartedClip> after) {
      if (before) write(*before, std::exchange(begin, Clock::now()), writing, window, progress);
      before = std::move(after);
      watch.beat();
    };
    DecodeAhead::Stream stream;
    while (!runtime_.signals().stop_asked() && decoding.next(stream)) {
      if (std::optional<StartedClip> started = start(window, stream, writing, progress))
        hand_over(std::move(started));
    }
    hand_over(std::nullopt);
    writing.finish();
  }

 private:
  struct StartedClip {
    ClipTask task;
    ClipMoments moments;
    double decode_s = 0;
  };

  static const Row& row_of(const std::vector<Shard>& window, const ClipTask& task) {
    return window[static_cast<std::size_t>(task.shard)].plan().table.rows[static_cast<std::size_t>(task.row)];
  }

  /// None if the clip's frames are none.
  std::optional<StartedClip> start(std::vector<Shard>& window, const DecodeAhead::Stream& stream,
                                   Worker& writing, PassProgress& progress) {
    std::optional<StartedClip> started;
    try {
      ClipMoments moments = clips_.start(row_of(window, stream.task), *stream.frames);
      started = StartedClip{stream.task, std::move(moments), stream.frames->decode_s()};
    } catch (const Reject& reject) {
      writing.add([this, &window, &progress, task = stream.task, reject] {
        this->reject(window, task, reject);
        progress.tell(window, costs_);
      });
    }
    stream.frames->abandon();
    return started;
  }

  /// Waits for the device to have done the clip; the rest of it is the worker's.
  void write(const StartedClip& clip, Clock::time_point begin, Worker& writing, std::vector<Shard>& window,
             PassProgress& progress) {
    device_.await(clip.moments.done);
    const double vae_s = seconds_since(begin);
    writing.add([this, clip, vae_s, &window, &progress] {
      const Row& row = row_of(window, clip.task);
      try {
        const std::vector<float> latent =
            latent_of(vae_.config(), sample_seed_, row, clip.moments.values.get());
        costs_.vae_s += vae_s;
        costs_.decode_s += clip.decode_s;
        ++costs_.clips;
        const Clock::time_point writing_since = Clock::now();
        window[static_cast<std::size_t>(clip.task.shard)].write_latent(clip.task.row, latent);
        costs_.write_s += seconds_since(writing_since);
      } catch (const Reject& reject) {
        this->reject(window, clip.task, reject);
      }
      progress.tell(window, costs_);
    });
  }

  void reject(std::vector<Shard>& window, const ClipTask& task, const Reject& reject) {
    const Row& row = row_of(window, task);
    const std::string text = reject_text(reject.reason, reject.detail, job_.video_folder + "/" + row.source);
    window[static_cast<std::size_t>(task.shard)].reject_row(task.row, text);
    log::warn(cat("rejected ", row.source, ", frames from ", row.frame_start, ": ", text));
  }

  Runtime& runtime_;
  Device& device_;
  const PrepJob& job_;
  std::optional<std::uint64_t> sample_seed_;
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
  const auto on_device = [&](const auto& body) {
    with_prep_advice(device, job.tiling, model.weights.storage, body);
  };
  do_together(world, [&] { on_device([&] { encoding.emplace(runtime, device, job, model, costs); }); });
  PassProgress progress(runtime, EncodeStage::clips, start, count_clips);
  std::vector<SourceTask> share;
  WindowPass pass;
  pass.prepare = [&](std::vector<Shard>& window) {
    progress.enter(window);
    share = share_of(pending_sources(window, job.video_folder), runtime.rank(), runtime.size(),
                     encoding->decode_threads());
  };
  pass.work = [&](std::vector<Shard>& window) {
    on_device([&] { encoding->run(window, std::move(share), progress); });
  };
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

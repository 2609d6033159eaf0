#include "prep/decode_ahead.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "media/media_error.hpp"
#include "media/reader.hpp"

namespace wan {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

DecodeAhead::DecodeAhead(std::vector<SourceTask> sources, PrepRules rules, int threads,
                         std::int64_t most_bytes)
    : sources_(std::move(sources)),
      rules_(rules),
      most_bytes_(most_bytes),
      most_open_(static_cast<std::size_t>(threads) + 1),
      working_(static_cast<std::size_t>(threads)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

DecodeAhead::~DecodeAhead() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    stop_ = true;
    for (const Stream& stream : open_) stream.frames->abandon();
    for (const auto& given : given_) {
      if (const auto frames = given.lock()) frames->abandon();
    }
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

bool DecodeAhead::next(Stream& stream) {
  std::unique_lock<std::mutex> guard(mutex_);
  changed_.wait(guard, [&] { return !open_.empty() || working_ == 0; });
  if (open_.empty()) return false;
  stream = std::move(open_.front());
  open_.pop_front();
  given_.erase(std::remove_if(given_.begin(), given_.end(), [](const auto& g) { return g.expired(); }),
               given_.end());
  given_.push_back(stream.frames);
  changed_.notify_all();
  return true;
}

std::shared_ptr<FrameQueue> DecodeAhead::open(const ClipTask& task) {
  std::unique_lock<std::mutex> guard(mutex_);
  changed_.wait(guard, [&] { return stop_ || open_.size() < most_open_; });
  if (stop_) return nullptr;
  auto frames = std::make_shared<FrameQueue>(most_bytes_);
  open_.push_back({task, frames});
  changed_.notify_all();
  return frames;
}

void DecodeAhead::work() {
  for (;;) {
    const SourceTask* source = nullptr;
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      if (stop_ || next_source_ == sources_.size()) {
        --working_;
        changed_.notify_all();
        return;
      }
      source = &sources_[next_source_++];
    }
    decode(*source);
  }
}

void DecodeAhead::decode(const SourceTask& source) {
  std::optional<VideoReader> reader;
  std::optional<Reject> failure;
  Fit fit;
  try {
    VideoInfo info = probe_source(source.path);
    fit = fit_frames(rules_, info.width, info.height);
    reader.emplace(std::move(info), rules_.rate);
    if (fit.height != source.height || fit.width != source.width) {
      throw Reject("changed", cat("its frames are ", fit.width, "x", fit.height, " now, they were ",
                                  source.width, "x", source.height, " when it was planned"));
    }
  } catch (const Reject& reject) {
    failure = reject;
  } catch (const MediaError& error) {
    failure.emplace(error.reason, error.what());
  } catch (const std::exception& error) {
    failure.emplace("undecodable", error.what());
  }
  for (const ClipTask& task : source.clips) {
    const std::shared_ptr<FrameQueue> frames = open(task);
    if (frames == nullptr) return;
    if (failure) {
      frames->fail(*failure);
      continue;
    }
    try {
      if (task.clip.start + task.clip.frames > reader->count()) {
        throw Reject("changed", cat("has ", reader->count(), " frames now, it had more when it was planned"));
      }
      double decode_s = 0;
      bool wanted = true;
      for (std::int64_t k = 0; wanted && k < task.clip.frames; ++k) {
        const Clock::time_point begin = Clock::now();
        Image frame = apply_fit(reader->frame(task.clip.start + k), fit, rules_.resize);
        decode_s += seconds_since(begin);
        wanted = frames->push(std::move(frame));
      }
      frames->finish(decode_s);
    } catch (const Reject& reject) {
      frames->fail(reject);
    } catch (const MediaError& error) {
      frames->fail(Reject(error.reason, error.what()));
    } catch (const std::exception& error) {
      frames->fail(Reject("undecodable", error.what()));
    }
  }
}

}  // namespace wan

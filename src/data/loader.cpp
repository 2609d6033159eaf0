#include "data/loader.hpp"

#include <utility>

namespace wan {

Loader::Loader(std::shared_ptr<const SampleSource> source, const Options& options, const LoaderState& start)
    : source_(std::move(source)),
      sequence_(*source_, options.seed, options.packing, options.layout, start),
      capacity_(options.read_ahead),
      state_(start) {
  if (capacity_ > 0) thread_ = std::thread([this] { read_ahead(); });
}

Loader::~Loader() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Loader::Ready Loader::produce() {
  if (next_micro_step_ == step_.micro_steps.size()) {
    step_ = sequence_.next();
    next_micro_step_ = 0;
  }
  Ready out;
  out.batch.pack.text_width = source_->text_width();
  for (const VisitedPack& visited : step_.micro_steps[next_micro_step_++]) {
    HostPack part = read_pack(*source_, visited.plan, visited.epoch);
    HostPack& whole = out.batch.pack;
    whole.samples.insert(whole.samples.end(), part.samples.begin(), part.samples.end());
    if (whole.latents.empty()) {
      whole.latents = std::move(part.latents);
      whole.text = std::move(part.text);
    } else {
      whole.latents.insert(whole.latents.end(), part.latents.begin(), part.latents.end());
      whole.text.insert(whole.text.end(), part.text.begin(), part.text.end());
    }
  }
  out.batch.step_samples = step_.samples;
  out.batch.step_tokens = step_.tokens;
  out.batch.last = next_micro_step_ == step_.micro_steps.size();
  out.after = step_.after;
  return out;
}

void Loader::read_ahead() {
  try {
    for (;;) {
      Ready next = produce();
      std::unique_lock<std::mutex> guard(mutex_);
      changed_.wait(guard, [&] { return stop_ || static_cast<std::int64_t>(ready_.size()) < capacity_; });
      if (stop_) return;
      ready_.push_back(std::move(next));
      changed_.notify_all();
    }
  } catch (...) {
    const std::lock_guard<std::mutex> guard(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

MicroBatch Loader::next() {
  Ready out;
  if (capacity_ <= 0) {
    out = produce();
  } else {
    std::unique_lock<std::mutex> guard(mutex_);
    changed_.wait(guard, [&] { return !ready_.empty() || failure_ != nullptr; });
    if (ready_.empty()) std::rethrow_exception(failure_);
    out = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
  }
  if (out.batch.last) state_ = out.after;
  return std::move(out.batch);
}

}  // namespace wan

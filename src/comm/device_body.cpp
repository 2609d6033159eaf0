#include "comm/device_body.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "comm/host_work.hpp"

namespace wan {
namespace {

/// What a device has been asked to do: the host does not wait for it.
class DeviceWork final : public Work {
 public:
  DeviceWork(Device& device, std::shared_ptr<DeviceCollectives> collectives, Event done)
      : device_(device), collectives_(std::move(collectives)), done_(done) {}

  void finish_on(Stream stream) { device_.wait(stream, done_); }
  void finish() override { finish_on({}); }
  /// The device would wait for peers that may never come, and whoever frees its memory for the device.
  void abandon() noexcept override { collectives_->abort(); }
  [[nodiscard]] bool collective() const override { return true; }

 private:
  Device& device_;
  std::shared_ptr<DeviceCollectives> collectives_;
  Event done_;
};

class DeviceBody final : public CommBody {
 public:
  DeviceBody(std::shared_ptr<CommBody> host, Device& device, std::unique_ptr<DeviceCollectives> collectives)
      : host_(std::move(host)), device_(device), collectives_(std::move(collectives)) {}

  [[nodiscard]] int rank() const override { return host_->rank(); }
  [[nodiscard]] int size() const override { return host_->size(); }

  std::shared_ptr<Work> all_reduce(const Tensor& data, Reduce op, Stream stream) override {
    if (!on_device(data)) return host_->all_reduce(data, op, stream);
    return started(collectives_->all_reduce(data, op, stream));
  }

  std::shared_ptr<Work> reduce_scatter(const Tensor& in, const Tensor& out,
                                       const std::vector<std::int64_t>& counts, Reduce op,
                                       Stream stream) override {
    // The whole tensor tells, for a part may be empty and lie past the end of what the device knows.
    if (!on_device(in)) return host_->reduce_scatter(in, out, counts, op, stream);
    return started(collectives_->reduce_scatter(in, out, counts, op, stream));
  }

  std::shared_ptr<Work> all_gather(const Tensor& in, const Tensor& out,
                                   const std::vector<std::int64_t>& counts, Stream stream) override {
    if (!on_device(out)) return host_->all_gather(in, out, counts, stream);
    return started(collectives_->all_gather(in, out, counts, stream));
  }

  std::shared_ptr<Work> broadcast(const Tensor& data, int root, Stream stream) override {
    if (!on_device(data)) return host_->broadcast(data, root, stream);
    return started(collectives_->broadcast(data, root, stream));
  }

  std::shared_ptr<Work> all_to_all(const Tensor& in, const std::vector<std::int64_t>& sent, const Tensor& out,
                                   const std::vector<std::int64_t>& received, Stream stream) override {
    if (!on_device(in) && !on_device(out)) return host_->all_to_all(in, sent, out, received, stream);
    return started(collectives_->exchange(parts_of(in, sent), parts_of(out, received), stream));
  }

  std::shared_ptr<Work> exchange(const std::vector<Transfer>& sends, const std::vector<Transfer>& receives,
                                 Stream stream) override {
    const auto here = [&](const Transfer& transfer) { return on_device(transfer.tensor); };
    const auto count = std::count_if(sends.begin(), sends.end(), here) +
                       std::count_if(receives.begin(), receives.end(), here);
    if (count == 0) return host_->exchange(sends, receives, stream);
    if (count != static_cast<std::ptrdiff_t>(sends.size() + receives.size())) {
      throw InternalError("communicator: exchange: some tensors are in host memory, some on the device");
    }
    return started(collectives_->exchange(sends, receives, stream));
  }

  void barrier() override { host_->barrier(); }

  void finish(Work& work, Stream stream) override {
    if (auto* const mine = dynamic_cast<DeviceWork*>(&work)) {
      mine->finish_on(stream);
    } else {
      host_->finish(work, stream);
    }
  }

  std::shared_ptr<CommBody> split(int color, int key) override {
    return make_device_body(host_->split(color, key), device_);
  }
  std::shared_ptr<CommBody> duplicate(Waiting waiting) override {
    return make_device_body(host_->duplicate(waiting), device_);
  }
  [[nodiscard]] const void* native() const override { return host_->native(); }

 private:
  [[nodiscard]] bool on_device(const Tensor& tensor) const { return device_.groups()->holds(tensor.data); }

  [[nodiscard]] static std::vector<Transfer> parts_of(const Tensor& whole,
                                                      const std::vector<std::int64_t>& counts) {
    const std::vector<std::int64_t> offsets = offsets_of(counts);
    std::vector<Transfer> parts;
    for (std::size_t r = 0; r < counts.size(); ++r) {
      if (counts[r] == 0) continue;
      parts.push_back({static_cast<int>(r), {bytes_at(whole, offsets[r]), whole.dtype, {counts[r]}}});
    }
    return parts;
  }

  [[nodiscard]] std::shared_ptr<Work> started(Event done) const {
    return std::make_shared<DeviceWork>(device_, collectives_, done);
  }

  std::shared_ptr<CommBody> host_;
  Device& device_;
  std::shared_ptr<DeviceCollectives> collectives_;
};

/// `identity` is that of this rank's device.
void require_a_device_each(const Communicator& ranks, const std::string& identity) {
  const std::vector<std::string> all = gather_texts(ranks, cat(identity, " of ", host_name()));
  for (std::size_t r = 0; r < all.size(); ++r) {
    const auto first = static_cast<std::size_t>(std::find(all.begin(), all.end(), all[r]) - all.begin());
    if (first == r) continue;
    throw CommError(
        cat("ranks ", first, " and ", r, " of ", all.size(), " both compute on ", all[r],
            ", allowed is one rank a GPU: start no more ranks a machine than it has GPUs, and let "
            "each see all of them or one of its own (srun --gpus-per-task=1)"));
  }
}

}  // namespace

std::shared_ptr<CommBody> make_device_body(std::shared_ptr<CommBody> host, Device& device) {
  const Communicator ranks(host);
  DeviceGroups& groups = *device.groups();
  require_a_device_each(ranks, groups.identity());
  std::string id;
  do_together(ranks, [&] {
    groups.open();
    if (ranks.rank() == 0) id = groups.new_id();
  });
  id = broadcast_text(ranks, id);
  std::unique_ptr<DeviceCollectives> collectives;
  do_together(ranks, [&] { collectives = groups.join(id, ranks.rank(), ranks.size()); });
  return std::make_shared<DeviceBody>(std::move(host), device, std::move(collectives));
}

}  // namespace wan

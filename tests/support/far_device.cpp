#include "support/far_device.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.hpp"

namespace wan::test {

class FarDevice::Collectives final : public DeviceCollectives {
 public:
  Collectives(FarDevice& device, Communicator ranks) : device_(device), ranks_(std::move(ranks)) {}

  Event all_reduce(const Tensor& data, Reduce op, Stream) override {
    return device_.start([=] { ranks_.all_reduce(data, op).wait(); });
  }
  Event reduce_scatter(const Tensor& in, const Tensor& out, const std::vector<std::int64_t>& counts,
                       Reduce op, Stream) override {
    return device_.start([=] { ranks_.reduce_scatter(in, out, counts, op).wait(); });
  }
  Event all_gather(const Tensor& in, const Tensor& out, const std::vector<std::int64_t>& counts,
                   Stream) override {
    return device_.start([=] { ranks_.all_gather(in, out, counts).wait(); });
  }
  Event broadcast(const Tensor& data, int root, Stream) override {
    return device_.start([=] { ranks_.broadcast(data, root).wait(); });
  }
  Event exchange(const std::vector<Transfer>& sends, const std::vector<Transfer>& receives, Stream) override {
    return device_.start([=] { ranks_.exchange(sends, receives).wait(); });
  }
  void abort() noexcept override {
    ++device_.aborted_;
    device_.waiting_.clear();
  }

 private:
  FarDevice& device_;
  Communicator ranks_;
};

class FarDevice::Groups final : public DeviceGroups {
 public:
  Groups(FarDevice& device, Communicator world, std::string identity)
      : device_(device), world_(std::move(world)), identity_(std::move(identity)) {}

  void open() override { opened_ = true; }
  [[nodiscard]] std::string identity() const override { return identity_; }
  [[nodiscard]] std::string new_id() override {
    // Groups of one moment have different first ranks.
    return std::to_string(world_.rank());
  }
  [[nodiscard]] std::unique_ptr<DeviceCollectives> join(const std::string& id, int rank, int) override {
    if (!opened_) return nullptr;
    return std::make_unique<Collectives>(device_, world_.split(std::stoi(id), rank));
  }
  [[nodiscard]] bool holds(const void* memory) const override {
    const auto after = device_.memory_.upper_bound(memory);
    if (after == device_.memory_.begin()) return false;
    const auto& [first, bytes] = *std::prev(after);
    return memory < static_cast<const char*>(first) + bytes;
  }

 private:
  FarDevice& device_;
  Communicator world_;
  std::string identity_;
  bool opened_ = false;
};

FarDevice::FarDevice(Device& device, Communicator world, std::string identity)
    : ForwardingDevice(device),
      groups_(std::make_unique<Groups>(*this, std::move(world), std::move(identity))) {}

FarDevice::~FarDevice() = default;

void* FarDevice::allocate(std::int64_t bytes) {
  void* const memory = ForwardingDevice::allocate(bytes);
  memory_[memory] = std::max<std::int64_t>(bytes, 1);
  return memory;
}

void FarDevice::release(void* memory) noexcept {
  memory_.erase(memory);
  ForwardingDevice::release(memory);
}

void FarDevice::wait(Stream, Event event) {
  while (ended() < reinterpret_cast<std::intptr_t>(event.handle) && !waiting_.empty()) {
    const std::function<void()> next = std::move(waiting_.front());
    waiting_.pop_front();
    next();
  }
}

DeviceGroups* FarDevice::groups() {
  return groups_.get();
}

Event FarDevice::start(std::function<void()> operation) {
  waiting_.push_back(std::move(operation));
  ++started_;
  return {reinterpret_cast<void*>(static_cast<std::intptr_t>(started_))};
}

}  // namespace wan::test

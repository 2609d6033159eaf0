#include "comm/host_body.hpp"

#include <algorithm>
#include <deque>
#include <list>
#include <utility>

#include "base/error.hpp"
#include "comm/host_work.hpp"

namespace wan {
namespace {

/// Below this many bytes an all_reduce is one round (gather everything everywhere); above it is two.
constexpr std::int64_t one_round_bytes = 4096;

class HostBody final : public CommBody {
 public:
  explicit HostBody(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}
  ~HostBody() override {
    for (const auto& work : started_) work->abandon();
  }
  HostBody(const HostBody&) = delete;
  HostBody& operator=(const HostBody&) = delete;

  [[nodiscard]] int rank() const override { return transport_->rank(); }
  [[nodiscard]] int size() const override { return transport_->size(); }

  std::shared_ptr<Work> all_reduce(const Tensor& data, Reduce op, Stream) override {
    if (size() == 1) return started(make_flight_work(nullptr));
    if (data.bytes() <= one_round_bytes) {
      return started(make_one_round_reduce(*transport_, data, op, next_tag()));
    }
    std::vector<std::int64_t> counts(static_cast<std::size_t>(size()));
    const std::int64_t n = data.elements();
    for (int r = 0; r < size(); ++r)
      counts[static_cast<std::size_t>(r)] = n * (r + 1) / size() - n * r / size();
    const std::int64_t begin = n * rank() / size();
    const Tensor mine(bytes_at(data, begin), data.dtype, {counts[static_cast<std::size_t>(rank())]});
    const int tag = next_tag();
    const int gather_tag = next_tag();
    return started(make_segmented_reduce(*transport_, data, mine, std::move(counts), op, tag, gather_tag));
  }

  std::shared_ptr<Work> reduce_scatter(const Tensor& in, const Tensor& out,
                                       const std::vector<std::int64_t>& counts, Reduce op, Stream) override {
    return started(make_segmented_reduce(*transport_, in, out, counts, op, next_tag(), -1));
  }

  std::shared_ptr<Work> all_gather(const Tensor& in, const Tensor& out,
                                   const std::vector<std::int64_t>& counts, Stream) override {
    const std::int64_t mine = offsets_of(counts)[static_cast<std::size_t>(rank())];
    move_bytes(bytes_at(out, mine), in.data, in.bytes());
    return started(make_gather(*transport_, out, counts, next_tag()));
  }

  std::shared_ptr<Work> broadcast(const Tensor& data, int root, Stream) override {
    return started(make_flight_work(transport_->broadcast(data.data, data.bytes(), root, next_tag())));
  }

  std::shared_ptr<Work> all_to_all(const Tensor& in, const std::vector<std::int64_t>& sent, const Tensor& out,
                                   const std::vector<std::int64_t>& received, Stream) override {
    const std::int64_t element = bytes_of(in.dtype);
    const std::vector<std::int64_t> from_offset = offsets_of(received);
    const std::vector<std::int64_t> to_offset = offsets_of(sent);
    const auto me = static_cast<std::size_t>(rank());
    if (sent[me] != received[me]) throw InternalError("communicator: all_to_all: own parts differ in size");
    move_bytes(bytes_at(out, from_offset[me]), bytes_at(in, to_offset[me]), sent[me] * element);
    std::vector<Parcel> sends;
    std::vector<Parcel> receives;
    for (int step = 1; step < size(); ++step) {
      const int to = (rank() + step) % size();
      const int from = (rank() + size() - step) % size();
      const auto t = static_cast<std::size_t>(to);
      const auto f = static_cast<std::size_t>(from);
      if (sent[t] > 0) sends.push_back({to, bytes_at(in, to_offset[t]), sent[t] * element});
      if (received[f] > 0) receives.push_back({from, bytes_at(out, from_offset[f]), received[f] * element});
    }
    return started(make_flight_work(transport_->start(sends, receives, next_tag())));
  }

  std::shared_ptr<Work> exchange(const std::vector<Transfer>& sends, const std::vector<Transfer>& receives,
                                 Stream) override {
    std::vector<Parcel> out;
    std::vector<Parcel> in;
    std::deque<Tensor> to_self;
    for (const Transfer& send : sends) {
      if (send.peer == rank()) {
        to_self.push_back(send.tensor);
      } else if (send.tensor.bytes() > 0) {
        out.push_back({send.peer, send.tensor.data, send.tensor.bytes()});
      }
    }
    for (const Transfer& receive : receives) {
      if (receive.peer != rank()) {
        if (receive.tensor.bytes() > 0)
          in.push_back({receive.peer, receive.tensor.data, receive.tensor.bytes()});
        continue;
      }
      if (to_self.empty() || to_self.front().bytes() != receive.tensor.bytes()) {
        throw InternalError("communicator: exchange: a message to this rank itself has no matching end");
      }
      move_bytes(receive.tensor.data, to_self.front().data, receive.tensor.bytes());
      to_self.pop_front();
    }
    return started(make_flight_work(transport_->start(out, in, peer_tag), false));
  }

  void barrier() override { transport_->barrier(next_tag()); }

  void finish(Work& work, Stream) override {
    const auto mine = std::find_if(started_.begin(), started_.end(),
                                   [&](const std::shared_ptr<Work>& other) { return other.get() == &work; });
    if (mine == started_.end()) return;
    const std::shared_ptr<Work> last = *mine;
    for (auto next = started_.begin(); next != started_.end();) {
      const std::shared_ptr<Work> now = *next;
      if (now != last && !now->collective()) {
        ++next;
        continue;
      }
      next = started_.erase(next);
      now->finish();
      if (now == last) return;
    }
  }

  std::shared_ptr<CommBody> split(int color, int key) override {
    return make_host_body(transport_->split(color, key));
  }
  std::shared_ptr<CommBody> duplicate(Waiting waiting) override {
    return make_host_body(transport_->duplicate(waiting));
  }
  [[nodiscard]] const void* native() const override { return transport_->native(); }

 private:
  /// Only some ranks take part in an exchange, so it cannot count in the sequence of tags.
  static constexpr int peer_tag = 0;

  /// Operations overlap and a rank may run ahead: each has a tag of its own, the same on every rank.
  int next_tag() {
    sequence_ = (sequence_ + 1) % (Transport::tags - 1);
    return sequence_ + 1;
  }

  std::shared_ptr<Work> started(std::shared_ptr<Work> work) {
    started_.push_back(work);
    return work;
  }

  std::unique_ptr<Transport> transport_;
  std::list<std::shared_ptr<Work>> started_;
  int sequence_ = 0;
};

}  // namespace

std::shared_ptr<CommBody> make_host_body(std::unique_ptr<Transport> transport) {
  return std::make_shared<HostBody>(std::move(transport));
}

}  // namespace wan

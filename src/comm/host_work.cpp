#include "comm/host_work.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "comm/reduce.hpp"

namespace wan {

std::byte* bytes_at(const Tensor& tensor, std::int64_t element) {
  return tensor.as<std::byte>() + element * bytes_of(tensor.dtype);
}

/// Parts one after the other: where each begins, in elements, and the end.
std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& counts) {
  std::vector<std::int64_t> offsets(counts.size() + 1, 0);
  std::partial_sum(counts.begin(), counts.end(), offsets.begin() + 1);
  return offsets;
}

void move_bytes(void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0 && to != from) std::memmove(to, from, static_cast<std::size_t>(bytes));
}

namespace {

/// Scratch of a reduction, over all peers.
constexpr std::int64_t scratch_bytes = std::int64_t{32} << 20;

/// A work whose state is a flight or none.
class FlightWork : public Work {
 public:
  explicit FlightWork(std::unique_ptr<Flight> flight = nullptr, bool collective = true)
      : flight_(std::move(flight)), collective_(collective) {}
  void finish() override {
    if (flight_ != nullptr) flight_->land();
    flight_.reset();
  }
  void abandon() noexcept override {
    if (flight_ != nullptr) flight_->abandon();
  }
  [[nodiscard]] bool collective() const override { return collective_; }

 protected:
  void next(std::unique_ptr<Flight> flight) { flight_ = std::move(flight); }
  void land() { FlightWork::finish(); }

 private:
  std::unique_ptr<Flight> flight_;
  bool collective_;
};

std::unique_ptr<Flight> start_gather(Transport& transport, const Tensor& out,
                                     const std::vector<std::int64_t>& counts, int tag) {
  const std::vector<std::int64_t> offsets = offsets_of(counts);
  const std::int64_t width = bytes_of(out.dtype);
  const auto me = static_cast<std::size_t>(transport.rank());
  std::vector<Parcel> sends;
  std::vector<Parcel> receives;
  // Each rank starts with its right neighbour, so that not all send to the same one at once.
  for (int step = 1; step < transport.size(); ++step) {
    const int to = (transport.rank() + step) % transport.size();
    const int from = (transport.rank() + transport.size() - step) % transport.size();
    const auto source = static_cast<std::size_t>(from);
    if (counts[me] > 0) sends.push_back({to, bytes_at(out, offsets[me]), counts[me] * width});
    if (counts[source] > 0)
      receives.push_back({from, bytes_at(out, offsets[source]), counts[source] * width});
  }
  return transport.start(sends, receives, tag);
}

/// Small all_reduce: everybody's data to everybody, then the sum in rank order.
class OneRoundReduce final : public FlightWork {
 public:
  OneRoundReduce(Transport& transport, const Tensor& data, Reduce op, int tag)
      : data_(data), op_(op), scratch_(static_cast<std::size_t>(data.bytes() * transport.size())) {
    const std::int64_t count = data.elements();
    const Tensor gathered(scratch_.data(), data.dtype, {transport.size() * count});
    move_bytes(bytes_at(gathered, transport.rank() * count), data.data, data.bytes());
    for (int r = 0; r < transport.size(); ++r) parts_.push_back(bytes_at(gathered, r * count));
    const std::vector<std::int64_t> counts(static_cast<std::size_t>(transport.size()), count);
    next(start_gather(transport, gathered, counts, tag));
  }

  void finish() override {
    land();
    reduce_parts(parts_, data_.elements(), data_.dtype, op_, data_.as<std::byte>());
  }

 private:
  Tensor data_;
  Reduce op_;
  std::vector<std::byte> scratch_;
  std::vector<const std::byte*> parts_;
};

/// Segment s of every part is exchanged and reduced, then the next one is started.
class SegmentedReduce final : public FlightWork {
 public:
  SegmentedReduce(Transport& transport, const Tensor& in, const Tensor& out, std::vector<std::int64_t> counts,
                  Reduce op, int tag, int gather_tag)
      : transport_(transport),
        in_(in),
        out_(out),
        counts_(std::move(counts)),
        offsets_(offsets_of(counts_)),
        op_(op),
        tag_(tag),
        gather_tag_(gather_tag) {
    const std::int64_t peers = std::max(1, transport.size() - 1);
    segment_ = std::max<std::int64_t>(1, scratch_bytes / peers / bytes_of(in.dtype));
    longest_ = *std::max_element(counts_.begin(), counts_.end());
    const std::int64_t mine = std::min(segment_, count_of(transport.rank()));
    scratch_.reset(new std::byte[static_cast<std::size_t>(peers * mine * bytes_of(in.dtype))]);
    start_segment();
  }

  void finish() override {
    while (begin_ < longest_) {
      land();
      reduce_segment();
      begin_ += segment_;
      if (begin_ < longest_) start_segment();
    }
    if (gather_tag_ >= 0) {
      next(start_gather(transport_, in_, counts_, gather_tag_));
      land();
    }
  }

 private:
  [[nodiscard]] std::int64_t count_of(int rank) const { return counts_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] std::int64_t width_of(int rank) const {
    return std::clamp<std::int64_t>(count_of(rank) - begin_, 0, segment_);
  }
  [[nodiscard]] std::byte* part_of(int rank) const {
    return bytes_at(in_, offsets_[static_cast<std::size_t>(rank)] + begin_);
  }

  void start_segment() {
    const std::int64_t element = bytes_of(in_.dtype);
    const int me = transport_.rank();
    std::vector<Parcel> sends;
    std::vector<Parcel> receives;
    parts_.assign(static_cast<std::size_t>(transport_.size()), nullptr);
    if (width_of(me) > 0) parts_[static_cast<std::size_t>(me)] = part_of(me);
    std::byte* slot = scratch_.get();
    for (int step = 1; step < transport_.size(); ++step) {
      const int to = (me + step) % transport_.size();
      const int from = (me + transport_.size() - step) % transport_.size();
      if (width_of(to) > 0) sends.push_back({to, part_of(to), width_of(to) * element});
      if (width_of(me) > 0) {
        receives.push_back({from, slot, width_of(me) * element});
        parts_[static_cast<std::size_t>(from)] = slot;
        slot += width_of(me) * element;
      }
    }
    next(transport_.start(sends, receives, tag_));
  }

  void reduce_segment() {
    const std::int64_t width = width_of(transport_.rank());
    if (width > 0) reduce_parts(parts_, width, in_.dtype, op_, bytes_at(out_, begin_));
  }

  Transport& transport_;
  Tensor in_;
  Tensor out_;
  std::vector<std::int64_t> counts_;
  std::vector<std::int64_t> offsets_;
  Reduce op_;
  int tag_;
  int gather_tag_;
  std::int64_t segment_ = 0;
  std::int64_t longest_ = 0;
  std::int64_t begin_ = 0;
  std::unique_ptr<std::byte[]> scratch_;  ///< not zeroed: every byte is received
  std::vector<const std::byte*> parts_;
};

}  // namespace

std::shared_ptr<Work> make_flight_work(std::unique_ptr<Flight> flight, bool collective) {
  return std::make_shared<FlightWork>(std::move(flight), collective);
}

std::shared_ptr<Work> make_gather(Transport& transport, const Tensor& out,
                                  const std::vector<std::int64_t>& counts, int tag) {
  return std::make_shared<FlightWork>(start_gather(transport, out, counts, tag));
}

std::shared_ptr<Work> make_one_round_reduce(Transport& transport, const Tensor& data, Reduce op, int tag) {
  return std::make_shared<OneRoundReduce>(transport, data, op, tag);
}

std::shared_ptr<Work> make_segmented_reduce(Transport& transport, const Tensor& in, const Tensor& out,
                                            std::vector<std::int64_t> counts, Reduce op, int tag,
                                            int gather_tag) {
  return std::make_shared<SegmentedReduce>(transport, in, out, std::move(counts), op, tag, gather_tag);
}

}  // namespace wan

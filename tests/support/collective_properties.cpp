#include "support/collective_properties.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "base/bf16.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "comm/mesh.hpp"

namespace wan {
namespace {

/// Element `i` of rank `rank`'s tensor in operation `operation`: an integer small enough that sums of it over
/// 64 ranks are exact in every dtype.
int value(std::uint64_t operation, int rank, std::int64_t i) {
  return static_cast<int>(mix64(operation * 1000003 + static_cast<std::uint64_t>(rank) * 7919 +
                                static_cast<std::uint64_t>(i)) %
                          5) -
         2;
}

/// Memory for a tensor of any dtype, with a guard after it, on the host or mirrored there.
class Block {
 public:
  Block(Device* device, DType dtype, std::int64_t count)
      : device_(device),
        dtype_(dtype),
        count_(count),
        bytes_(static_cast<std::size_t>(count * bytes_of(dtype)) + guard, std::byte{0x5a}) {
    if (device != nullptr) memory_ = DeviceBuffer(*device, size());
    push();
  }

  [[nodiscard]] Tensor view() { return part(0, count_); }
  [[nodiscard]] Tensor part(std::int64_t begin, std::int64_t count) {
    auto* const first = device_ == nullptr ? bytes_.data() : static_cast<std::byte*>(memory_.data());
    return {first + begin * bytes_of(dtype_), dtype_, {count}};
  }
  /// What was put is on the device.
  void push() {
    if (device_ != nullptr) device_->copy(memory_.data(), bytes_.data(), size());
  }
  /// What the device has can be looked at.
  void pull() {
    if (device_ == nullptr) return;
    device_->copy(bytes_.data(), memory_.data(), size());
    device_->synchronize();
  }
  void put(std::int64_t i, int number) {
    std::byte* at = bytes_.data() + i * bytes_of(dtype_);
    const auto store = [&](auto typed) { std::memcpy(at, &typed, sizeof typed); };
    switch (dtype_) {
      case DType::f32:
        return store(static_cast<float>(number));
      case DType::f64:
        return store(static_cast<double>(number));
      case DType::bf16:
        return store(to_bf16(static_cast<float>(number)));
      case DType::i64:
        return store(static_cast<std::int64_t>(number));
      default:
        FAIL() << "dtype";
    }
  }
  [[nodiscard]] double at(std::int64_t i) const {
    const std::byte* at = bytes_.data() + i * bytes_of(dtype_);
    const auto load = [&](auto typed) {
      std::memcpy(&typed, at, sizeof typed);
      return typed;
    };
    switch (dtype_) {
      case DType::f32:
        return static_cast<double>(load(0.0F));
      case DType::f64:
        return load(0.0);
      case DType::bf16:
        return static_cast<double>(to_float(load(bf16{})));
      default:
        return static_cast<double>(load(std::int64_t{0}));
    }
  }
  [[nodiscard]] bool guarded() const {
    return std::all_of(bytes_.end() - guard, bytes_.end(), [](std::byte b) { return b == std::byte{0x5a}; });
  }

 private:
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(bytes_.size()); }

  static constexpr int guard = 64;
  Device* device_;
  DType dtype_;
  std::int64_t count_;
  std::vector<std::byte> bytes_;
  DeviceBuffer memory_;
};

Block filled(Device* device, DType dtype, std::int64_t count, std::uint64_t operation, int rank) {
  Block block(device, dtype, count);
  for (std::int64_t i = 0; i < count; ++i) block.put(i, value(operation, rank, i));
  block.push();
  return block;
}

int reduced(std::uint64_t operation, int ranks, std::int64_t i, Reduce op) {
  int result = value(operation, 0, i);
  for (int r = 1; r < ranks; ++r) {
    const int other = value(operation, r, i);
    result = op == Reduce::sum   ? result + other
             : op == Reduce::max ? std::max(result, other)
                                 : std::min(result, other);
  }
  return result;
}

}  // namespace

void check_collectives(const Communicator& comm, std::uint64_t seed, Device* device) {
  std::mt19937_64 random(seed);
  const int ranks = comm.size();
  const int me = comm.rank();
  const auto mine = static_cast<std::size_t>(me);
  const auto pick = [&](std::int64_t below) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(below));
  };
  constexpr DType dtypes[] = {DType::f32, DType::f64, DType::bf16, DType::i64};
  for (std::uint64_t operation = 1; operation <= 24; ++operation) {
    const DType dtype = dtypes[pick(4)];
    const Reduce op = static_cast<Reduce>(pick(3));
    const std::int64_t count = pick(3) == 0 ? pick(20000) : pick(50);
    std::vector<std::int64_t> counts(static_cast<std::size_t>(ranks));
    for (auto& each : counts) each = pick(4) == 0 ? 0 : pick(count + 1);
    // Equal parts, and equal ones with a larger last, are common and may go another way.
    if (pick(3) == 0) {
      std::fill(counts.begin(), counts.end(), count);
      counts.back() += pick(2) * pick(70);
    }
    const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
    const std::int64_t begin = std::accumulate(counts.begin(), counts.begin() + me, std::int64_t{0});
    const int root = static_cast<int>(pick(ranks));

    Block sum = filled(device, dtype, count, operation, me);
    Block scatter_in = filled(device, dtype, total, operation, me);
    Block scatter_out(device, dtype, counts[mine]);
    Block gather_in = filled(device, dtype, counts[mine], operation, me);
    Block gather_out(device, dtype, total);
    Block cast = filled(device, dtype, count, operation, me);
    Block swap_in = filled(device, dtype, count * ranks, operation, me);
    Block swap_out(device, dtype, count * ranks);
    const bool in_place = pick(2) == 0;
    {
      Pending a = comm.all_reduce(sum.view(), op);
      Pending b = comm.reduce_scatter(scatter_in.view(),
                                      in_place ? scatter_in.part(begin, counts[mine]) : scatter_out.view(),
                                      counts, op);
      Pending c = comm.all_gather(gather_in.view(), gather_out.view(), counts);
      Pending d = comm.broadcast(cast.view(), root);
      Pending e = comm.all_to_all(swap_in.view(), swap_out.view());
      // Ranks wait in different orders.
      if (me % 2 == 0) e.wait();
      c.wait();
      a.wait();
    }
    for (Block* block : {&sum, &scatter_in, &scatter_out, &gather_out, &cast, &swap_out}) block->pull();
    for (std::int64_t i = 0; i < count; ++i) {
      ASSERT_EQ(sum.at(i), reduced(operation, ranks, i, op))
          << "all_reduce of " << count << " " << name_of(dtype);
      ASSERT_EQ(cast.at(i), value(operation, root, i)) << "broadcast";
    }
    for (std::int64_t i = 0; i < counts[mine]; ++i) {
      ASSERT_EQ(in_place ? scatter_in.at(begin + i) : scatter_out.at(i),
                reduced(operation, ranks, begin + i, op))
          << "reduce_scatter";
    }
    for (std::int64_t r = 0, at = 0; r < ranks; ++r) {
      for (std::int64_t i = 0; i < counts[static_cast<std::size_t>(r)]; ++i, ++at) {
        ASSERT_EQ(gather_out.at(at), value(operation, static_cast<int>(r), i)) << "all_gather";
      }
      for (std::int64_t i = 0; i < count; ++i) {
        ASSERT_EQ(swap_out.at(r * count + i), value(operation, static_cast<int>(r), me * count + i))
            << "all_to_all";
      }
    }

    // A ring: to the right, from the left; in host memory posted in an order that would block if sends waited
    // for receives.
    Block ring_out = filled(device, dtype, count + 1, operation, me);
    Block ring_in(device, dtype, count + 1);
    const int right = (me + 1) % ranks;
    const int left = (me + ranks - 1) % ranks;
    Pending receive;
    if (ranks > 1 && device == nullptr) {
      receive = comm.exchange({}, {{left, ring_in.view()}});
      comm.exchange({{right, ring_out.view()}}, {}).wait();
    } else {
      receive = comm.exchange({{right, ring_out.view()}}, {{left, ring_in.view()}});
    }
    receive.wait();
    ring_in.pull();
    for (std::int64_t i = 0; i <= count; ++i)
      ASSERT_EQ(ring_in.at(i), value(operation, left, i)) << "exchange";
    for (const Block* block : {&sum, &scatter_in, &scatter_out, &gather_out, &cast, &swap_out, &ring_in}) {
      ASSERT_TRUE(block->guarded()) << "written past the end";
    }
    if (operation % 8 == 0) comm.barrier();
  }

  if (device != nullptr) return;
  // Sums of fp32 that do not come out even: the same bits on all ranks, and rounded once.
  std::vector<float> uneven(3001, 0.1F + static_cast<float>(me) * 1e-3F);
  comm.all_reduce(Tensor(uneven.data(), DType::f32, {3001}), Reduce::sum).wait();
  double exact = 0;
  for (int r = 0; r < ranks; ++r) exact += static_cast<double>(0.1F + static_cast<float>(r) * 1e-3F);
  for (const float x : uneven) ASSERT_EQ(x, static_cast<float>(exact));
  float not_a_number[2] = {me == ranks - 1 ? std::nanf("") : 1.0F, 2.0F};
  comm.all_reduce(Tensor(not_a_number, DType::f32, {2}), Reduce::max).wait();
  EXPECT_TRUE(std::isnan(not_a_number[0]));
  EXPECT_EQ(not_a_number[1], 2.0F);
}

void check_groups(const Communicator& comm) {
  const int ranks = comm.size();
  const int me = comm.rank();
  const Communicator copy = comm.duplicate(Waiting::patient);
  EXPECT_EQ(copy.rank(), me);
  EXPECT_EQ(copy.size(), ranks);
  // Odd and even ranks, in reverse order.
  const Communicator half = comm.split(me % 2, -me);
  EXPECT_EQ(half.size(), (ranks + 1 - me % 2) / 2);
  EXPECT_EQ(half.rank(), (ranks - 1 - me) / 2);
  std::int64_t a = me;
  std::int64_t b = me;
  Pending on_copy = copy.all_reduce(Tensor(&a, DType::i64, {1}), Reduce::sum);
  Pending on_half = half.all_reduce(Tensor(&b, DType::i64, {1}), Reduce::max);
  on_half.wait();
  on_copy.wait();
  EXPECT_EQ(a, ranks * (ranks - 1) / 2);
  EXPECT_EQ(b, (ranks - 1) - (ranks - 1 - me) % 2);

  const Mesh mesh(comm, {1, 1, ranks, 1});
  EXPECT_EQ(mesh.dp.size(), ranks);
  EXPECT_EQ(mesh.tp.size() * mesh.cp.size() * mesh.pp.size(), 1);
  EXPECT_THROW(Mesh(comm, {ranks + 1, 1, 1, 1}), ConfigError);

  const std::vector<std::string> names = gather_texts(comm, std::string(static_cast<std::size_t>(me), 'x'));
  ASSERT_EQ(names.size(), static_cast<std::size_t>(ranks));
  for (int r = 0; r < ranks; ++r)
    EXPECT_EQ(names[static_cast<std::size_t>(r)].size(), static_cast<std::size_t>(r));
  EXPECT_EQ(broadcast_text(comm, cat("from ", me), ranks - 1), cat("from ", ranks - 1));
  EXPECT_NO_THROW(require_agreement(comm, "key", "same"));
  if (ranks > 1) {
    EXPECT_THROW(require_agreement(comm, "key", std::to_string(me)), ConfigError);
  }

  EXPECT_TRUE(try_together(comm, [] {}).good());
  const Outcome outcome = try_together(comm, [&] {
    if (me == ranks - 1) throw DataError("file", "is wrong");
    if (me == 0) throw CommError("peer is gone");
  });
  EXPECT_EQ(outcome.rank, ranks - 1);
  EXPECT_EQ(outcome.code, ExitCode::data);
  EXPECT_EQ(outcome.message, "file: is wrong");
  EXPECT_EQ(outcome.host, host_name());
}

}  // namespace wan

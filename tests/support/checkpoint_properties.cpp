#include "support/checkpoint_properties.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <random>

#include "base/bf16.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "checkpoint/save.hpp"

namespace wan::test {
namespace {

using checkpoint::FileKind;

std::uint64_t bits_of(std::uint64_t seed, std::int64_t step, std::size_t tensor, std::int64_t element) {
  return mix64(mix64(seed * 31 + static_cast<std::uint64_t>(step)) ^ (tensor << 40) ^
               static_cast<std::uint64_t>(element));
}

/// Any bits but those of NaN, whose payload a conversion may change.
std::uint32_t float_bits(std::uint64_t random) {
  auto bits = static_cast<std::uint32_t>(random);
  if ((bits & 0x7f800000U) == 0x7f800000U) bits &= 0xbfffffffU;
  return bits;
}

void fill(std::uint64_t seed, std::int64_t step, std::size_t tensor, DType dtype, const ShardSpec& part,
          std::byte* out) {
  part.visit_runs([&](std::int64_t global, std::int64_t local, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t wide = float_bits(bits_of(seed, step, tensor, global + i));
      if (dtype == DType::f32) {
        std::memcpy(out + (local + i) * 4, &wide, 4);
      } else {
        const auto narrow = static_cast<std::uint16_t>(wide >> 16);
        std::memcpy(out + (local + i) * 2, &narrow, 2);
      }
    }
  });
}

/// One rank's part of a tensor under a random layout: tensor parallel by data parallel, or dealt as a whole
/// to one rank, or flat. All ranks draw the same numbers.
ShardSpec random_part(std::mt19937_64& random, const Shape& shape, int rank, int ranks) {
  const auto pick = [&](std::uint64_t below) { return static_cast<std::int64_t>(random() % below); };
  const ShardSpec all = ShardSpec::whole(shape);
  switch (pick(3)) {
    case 0: {
      const std::int64_t owner = pick(static_cast<std::uint64_t>(ranks));
      return owner == rank ? all : all.flat_range(0, 0);
    }
    case 1: {
      if (shape.rank() == 0) return all.flat_part(rank, ranks);
      const std::int64_t tp = ranks % 2 == 0 ? 2 : 1;
      const int axis = static_cast<int>(pick(static_cast<std::uint64_t>(shape.rank())));
      return ShardSpec::axis_part(shape, axis, rank % tp, tp).flat_part(rank / tp, ranks / tp);
    }
    default:
      return all.flat_part(rank, ranks);
  }
}

}  // namespace

FakeRun::FakeRun(std::uint64_t seed, std::int64_t scale) : seed_(seed) {
  const std::vector<std::pair<std::string, Shape>> weights = {
      {"blocks.0.attn1.to_q.weight", {24 * scale, 24}},
      {"blocks.0.attn1.to_q.bias", {24}},
      {"patch_embedding.weight", {7, 3, 1, 2, 2}},
      {"scale_shift_table", {1, 2, 24}},
      {"one", {1}},
      {"scalar", {}},
      {"empty", {0, 4}},
      {"proj_out.weight", {5, 1001}}};
  for (const auto& [name, shape] : weights) {
    tensors_.push_back({FileKind::model, "/transformer/" + name, DType::bf16, shape});
    tensors_.push_back({FileKind::model, "/ema/transformer/" + name, DType::f32, shape});
    tensors_.push_back({FileKind::optim, "/exp_avg/transformer/" + name, DType::f32, shape});
    tensors_.push_back({FileKind::optim, "/master/transformer/" + name, DType::f32, shape});
  }
}

checkpoint::Snapshot FakeRun::snapshot(std::int64_t step, std::uint64_t layout, int rank, int ranks) const {
  checkpoint::Snapshot snapshot;
  snapshot.step = step;
  snapshot.state.set("step", step).set("seed", static_cast<std::int64_t>(seed_));
  snapshot.config = cat("# step ", step, "\nseed: ", seed_, "\n");
  auto memory = std::make_shared<std::vector<std::vector<std::byte>>>();
  std::mt19937_64 random(layout);
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    const FakeTensor& tensor = tensors_[t];
    const ShardSpec part = random_part(random, tensor.shape, rank, ranks);
    // A rank need not list what it has nothing of, but may.
    if (part.elements() == 0 && tensor.shape.elements() > 0 && t % 2 == 0) continue;
    memory->emplace_back(static_cast<std::size_t>(part.elements() * bytes_of(tensor.dtype)));
    fill(seed_, step, t, tensor.dtype, part, memory->back().data());
    snapshot.parts.push_back({tensor.kind, tensor.path, tensor.dtype, part, memory->back().data()});
  }
  snapshot.memory = memory;
  return snapshot;
}

void FakeRun::expect_equal(const checkpoint::Checkpoint& loaded, std::uint64_t layout, int rank,
                           int ranks) const {
  EXPECT_EQ(loaded.state().at("step").as_integer(), loaded.step());
  EXPECT_EQ(loaded.config(), cat("# step ", loaded.step(), "\nseed: ", seed_, "\n"));
  std::mt19937_64 random(layout);
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    const FakeTensor& tensor = tensors_[t];
    const ShardSpec part = random_part(random, tensor.shape, rank, ranks);
    std::vector<std::byte> expected(static_cast<std::size_t>(part.elements() * bytes_of(tensor.dtype)));
    std::vector<std::byte> found(expected.size());
    fill(seed_, loaded.step(), t, tensor.dtype, part, expected.data());
    loaded.read(tensor.path, part, tensor.dtype, found.data());
    ASSERT_EQ(found, expected) << tensor.path << " " << part.text();
    const auto count = static_cast<std::size_t>(part.elements());
    if (tensor.dtype == DType::bf16) {
      std::vector<float> wide(count);
      loaded.read(tensor.path, part, DType::f32, wide.data());
      const auto* const narrow = reinterpret_cast<const bf16*>(expected.data());
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(wide[i], to_float(narrow[i])) << tensor.path;
    } else {
      std::vector<bf16> narrow(count);
      loaded.read(tensor.path, part, DType::bf16, narrow.data());
      const auto* const wide = reinterpret_cast<const float*>(expected.data());
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(narrow[i].bits, to_bf16(wide[i]).bits) << tensor.path;
    }
  }
}

bool FakeRun::equal(const checkpoint::Checkpoint& loaded) const {
  if (loaded.state().at("step").as_integer() != loaded.step()) return false;
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    const FakeTensor& tensor = tensors_[t];
    const ShardSpec all = ShardSpec::whole(tensor.shape);
    std::vector<std::byte> expected(static_cast<std::size_t>(all.elements() * bytes_of(tensor.dtype)));
    std::vector<std::byte> found(expected.size());
    fill(seed_, loaded.step(), t, tensor.dtype, all, expected.data());
    loaded.read(tensor.path, all, tensor.dtype, found.data());
    if (found != expected) return false;
  }
  return true;
}

void check_round_trip(const Communicator& comm, const std::string& folder, std::uint64_t seed) {
  const FakeRun run(seed);
  const std::string path = folder + cat("/run", seed);
  const auto loads = [&](std::int64_t step) {
    const auto loaded = checkpoint::open_newest(comm, path);
    ASSERT_TRUE(loaded.has_value());
    EXPECT_EQ(loaded->step(), step);
    for (std::uint64_t layout = 0; layout < 3; ++layout) {
      run.expect_equal(*loaded, seed * 100 + layout, comm.rank(), comm.size());
    }
    comm.barrier();
  };
  for (const std::int64_t step : {3, 12, 1000}) {
    const Outcome outcome = save(
        comm, path, run.snapshot(step, seed + static_cast<std::uint64_t>(step), comm.rank(), comm.size()));
    ASSERT_TRUE(outcome.good()) << outcome.message;
    loads(step);
  }
  // The same step again takes the old one's place.
  const Outcome again = save(comm, path, run.snapshot(1000, seed + 5, comm.rank(), comm.size()));
  ASSERT_TRUE(again.good()) << again.message;
  loads(1000);
}

}  // namespace wan::test

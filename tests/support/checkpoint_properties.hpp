#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/snapshot.hpp"
#include "comm/communicator.hpp"

namespace wan::test {

/// A made-up training state whose every bit follows from (seed, step): a few tensors of odd shapes, fp32 and
/// bf16, in both files.
class FakeRun {
 public:
  /// `scale` multiplies one extent, to make checkpoints larger.
  explicit FakeRun(std::uint64_t seed, std::int64_t scale = 1);

  struct FakeTensor {
    checkpoint::FileKind kind;
    std::string path;
    DType dtype;
    Shape shape;
  };
  [[nodiscard]] const std::vector<FakeTensor>& tensors() const { return tensors_; }

  /// What this rank brings: random disjoint parts that follow from (layout, rank, ranks); each rank of the
  /// group must pass the same `layout`.
  [[nodiscard]] checkpoint::Snapshot snapshot(std::int64_t step, std::uint64_t layout, int rank,
                                              int ranks) const;

  /// Expects (GoogleTest) `loaded` to hold the state of its step, reading parts of another random layout,
  /// both as stored and converted.
  void expect_equal(const checkpoint::Checkpoint& loaded, std::uint64_t layout, int rank, int ranks) const;

  /// As expect_equal without GoogleTest and conversions: whether all is right.
  [[nodiscard]] bool equal(const checkpoint::Checkpoint& loaded) const;

 private:
  std::uint64_t seed_;
  std::vector<FakeTensor> tensors_;
};

/// Saves with one layout, loads with others, on the ranks of `comm`; expects every bit back. `folder` is
/// shared. Collective.
void check_round_trip(const Communicator& comm, const std::string& folder, std::uint64_t seed);

}  // namespace wan::test

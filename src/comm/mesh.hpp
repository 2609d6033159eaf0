#pragma once
#include <string>

#include "comm/communicator.hpp"

namespace wan {

/// How many ranks each axis of parallelism has.
struct MeshSizes {
  int tp = 1;
  int cp = 1;
  int dp = 1;
  int pp = 1;
  [[nodiscard]] int ranks() const { return tp * cp * dp * pp; }
};

/// A rank's place on each axis. Rank = tp + TP·(cp + CP·(dp + DP·pp)): tp fastest, the order of Megatron.
struct MeshPlace {
  int tp = 0;
  int cp = 0;
  int dp = 0;
  int pp = 0;
};

[[nodiscard]] MeshPlace place_of(int rank, const MeshSizes& sizes);
[[nodiscard]] int rank_of(const MeshPlace& place, const MeshSizes& sizes);

/// The communicators of one rank: along each axis, the ranks that differ from it on that axis only; `world`
/// is all.
struct Mesh {
  Mesh() = default;
  /// Collective. Throws ConfigError unless tp·cp·dp·pp is the number of ranks.
  Mesh(const Communicator& all, const MeshSizes& sizes);

  /// Lets the axes reach `device`'s memory (Communicator::on_device); `world` stays the host's. Collective.
  void reach(Device& device);

  MeshSizes sizes;
  MeshPlace place;
  Communicator world;
  Communicator tp;
  Communicator cp;
  Communicator dp;
  Communicator pp;
};

}  // namespace wan

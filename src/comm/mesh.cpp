#include "comm/mesh.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

MeshPlace place_of(int rank, const MeshSizes& sizes) {
  MeshPlace place;
  place.tp = rank % sizes.tp;
  rank /= sizes.tp;
  place.cp = rank % sizes.cp;
  rank /= sizes.cp;
  place.dp = rank % sizes.dp;
  place.pp = rank / sizes.dp;
  return place;
}

int rank_of(const MeshPlace& place, const MeshSizes& sizes) {
  return place.tp + sizes.tp * (place.cp + sizes.cp * (place.dp + sizes.dp * place.pp));
}

namespace {

/// The group of ranks whose place agrees with `mine` once the given axis is set to 0; its first rank is the
/// colour.
Communicator along(const Communicator& world, MeshPlace mine, int MeshPlace::*axis, const MeshSizes& sizes) {
  const int position = mine.*axis;
  mine.*axis = 0;
  return world.split(rank_of(mine, sizes), position);
}

}  // namespace

Mesh::Mesh(const Communicator& all, const MeshSizes& asked) : sizes(asked), world(all) {
  if (sizes.tp < 1 || sizes.cp < 1 || sizes.dp < 1 || sizes.pp < 1 || sizes.ranks() != all.size()) {
    throw ConfigError(
        "", cat("mesh of tp ", sizes.tp, " × cp ", sizes.cp, " × dp ", sizes.dp, " × pp ", sizes.pp, " = ",
                sizes.ranks(), " ranks, but ", all.size(), " run; the product must be equal"));
  }
  place = place_of(all.rank(), sizes);
  tp = along(world, place, &MeshPlace::tp, sizes);
  cp = along(world, place, &MeshPlace::cp, sizes);
  dp = along(world, place, &MeshPlace::dp, sizes);
  pp = along(world, place, &MeshPlace::pp, sizes);
}

void Mesh::reach(Device& device) {
  for (Communicator* axis : {&tp, &cp, &dp, &pp}) *axis = axis->on_device(device);
}

}  // namespace wan

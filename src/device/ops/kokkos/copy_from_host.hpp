#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>

#include "device/ops/kokkos/launch.hpp"

namespace wan::kernels {

/// Copies host numbers, which may change after the call, to the ops' memory.
template <class T>
void copy_from_host(T* to, const T* from, std::int64_t count) {
  using Unmanaged = Kokkos::MemoryTraits<Kokkos::Unmanaged>;
  const auto size = static_cast<std::size_t>(count);
  const Kokkos::View<const T*, Kokkos::HostSpace, Unmanaged> source(from, size);
  const Kokkos::View<T*, Space::memory_space, Unmanaged> target(to, size);
  Kokkos::deep_copy(Space(), target, source);
  Space().fence();
}

}  // namespace wan::kernels

#include "device/ops/kokkos/region.hpp"

#include <Kokkos_Core.hpp>

namespace wan {

void begin_region(const char* name) {
  Kokkos::Profiling::pushRegion(name);
}

void end_region() {
  Kokkos::Profiling::popRegion();
}

}  // namespace wan

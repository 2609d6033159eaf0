#include "device/host/session.hpp"

#include <omp.h>

#include <Kokkos_Core.hpp>

namespace wan {
namespace {

struct KokkosSession {
  // Without arguments, as every version from 3.4 to 4 has it: an OpenMP Kokkos then takes OpenMP's number of
  // threads.
  KokkosSession() { Kokkos::initialize(); }
  ~KokkosSession() { Kokkos::finalize(); }
  KokkosSession(const KokkosSession&) = delete;
  KokkosSession& operator=(const KokkosSession&) = delete;
};

}  // namespace

int start_host_session(int threads) {
  if (threads > 0) omp_set_num_threads(threads);
  const int in_force = omp_get_max_threads();
  static const KokkosSession session;
  return in_force;
}

}  // namespace wan

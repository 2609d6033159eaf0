#include "device/host/session.hpp"

#include <omp.h>

#include <Kokkos_Core.hpp>
#include <dnnl.hpp>

namespace wan {
namespace {

/// oneDNN 2's 1x1 convolutions of bf16 by AMX give wrong values where channels fill no tile (2.6, from 12 or
/// 15 channels, which the ops' tests find). Has to come before its first use.
void leave_out_amx() {
  if (dnnl::version()->major < 3) dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core_bf16);
}

struct Libraries {
  Libraries() {
    leave_out_amx();
    // Without arguments, as every version from 3.4 to 4 has it: an OpenMP Kokkos then takes OpenMP's number
    // of threads.
    Kokkos::initialize();
  }
  ~Libraries() { Kokkos::finalize(); }
  Libraries(const Libraries&) = delete;
  Libraries& operator=(const Libraries&) = delete;
};

}  // namespace

int start_host_session(int threads) {
  if (threads > 0) omp_set_num_threads(threads);
  const int in_force = omp_get_max_threads();
  static const Libraries libraries;
  return in_force;
}

}  // namespace wan

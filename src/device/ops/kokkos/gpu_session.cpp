#include "device/ops/kokkos/gpu_session.hpp"

#include <Kokkos_Core.hpp>

namespace wan {
namespace {

struct KokkosSession {
  explicit KokkosSession(int index) {
    Kokkos::initialize(Kokkos::InitializationSettings().set_device_id(index).set_disable_warnings(true));
  }
  ~KokkosSession() { Kokkos::finalize(); }
  KokkosSession(const KokkosSession&) = delete;
  KokkosSession& operator=(const KokkosSession&) = delete;
};

}  // namespace

void* start_gpu_session(int index) {
  static const KokkosSession session(index);
  return Kokkos::Cuda().cuda_stream();
}

}  // namespace wan

#include <dnnl.h>

#include <memory>

#include "base/text.hpp"
#include "device/host/host_device.hpp"
#include "device/host/session.hpp"
#include "device/library_entry.hpp"
#include "device/ops/host/host_frame_ops.hpp"
#include "device/ops/host/host_ops.hpp"
#include "device/ops/host/host_text_ops.hpp"
#include "device/ops/kokkos/self_test.hpp"
#include "device/ops/ref/ref_frame_ops.hpp"
#include "device/ops/ref/ref_ops.hpp"
#include "device/ops/ref/ref_text_ops.hpp"

namespace wan {
namespace {

std::string describe(int threads, bool reference) {
  const std::string thread_text = cat(threads, threads == 1 ? " thread" : " threads");
  if (reference) return "host (reference ops, 1 thread)";
  const dnnl_version_t* version = dnnl_version();
  return cat("host (", thread_text, ", oneDNN ", version->major, ".", version->minor, ")");
}

HostBodies make_bodies(bool reference) {
  if (reference) {
    return {std::make_unique<RefOps>(), std::make_unique<RefFrameOps>(), std::make_unique<RefTextOps>()};
  }
  return {std::make_unique<HostOps>(), std::make_unique<HostFrameOps>(), std::make_unique<HostTextOps>()};
}

}  // namespace
}  // namespace wan

extern "C" __attribute__((visibility("default"))) const wan::CpuFeatures wan_cpu_features = {
#if defined(__AVX2__) && defined(__FMA__)
    true,
#else
    false,
#endif
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
    true,
#else
    false,
#endif
};

extern "C" __attribute__((visibility("default"))) void wan_open_device(const wan::DeviceOptions& options,
                                                                       wan::Device*& out) {
  const int threads = wan::start_host_session(options.threads);
  wan::kernel_self_test();
  out = std::make_unique<wan::HostDevice>(wan::make_bodies(options.reference),
                                          wan::describe(threads, options.reference))
            .release();
}

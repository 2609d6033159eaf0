#pragma once
#include "device/open_device.hpp"

namespace wan {

/// What a device library exports: opens its device, runs its self-test, and hands ownership to the caller in
/// `out`. Throws what open_device documents; program and library are built together, so types cross the
/// border safely.
using OpenDeviceFunction = void (*)(const DeviceOptions& options, Device*& out);
inline constexpr const char* open_device_symbol = "wan_open_device";

/// Instruction sets that the library's code uses, a constant that it exports: WAN_NATIVE compiles for the
/// build machine, and a library built on a newer login node would end in an illegal instruction on an older
/// compute node.
struct CpuFeatures {
  bool avx2;    ///< with FMA
  bool avx512;  ///< F, BW, DQ, VL
};
inline constexpr const char* cpu_features_symbol = "wan_cpu_features";

}  // namespace wan

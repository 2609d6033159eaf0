#pragma once
#include "comm/communicator.hpp"
#include "device/device.hpp"
#include "tensor/dtype.hpp"

namespace wan {

/// FLOP/s that one rank reaches in a large square matrix product of `storage` operands while all ranks of
/// `world` run theirs: what "peak" in MFU means where the run file names none. Averaged over the ranks, the
/// same on all. Takes some hundredths of a second. Collective.
[[nodiscard]] double measured_peak(Device& device, DType storage, const Communicator& world);

}  // namespace wan

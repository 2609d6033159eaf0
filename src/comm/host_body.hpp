#pragma once
#include <memory>

#include "comm/body.hpp"
#include "comm/transport.hpp"

namespace wan {

/// Collectives on host memory over any transport. Reductions are a direct exchange of parts summed in rank
/// order (bandwidth-optimal, and every rank gets the same bits), in segments so that scratch stays bounded.
[[nodiscard]] std::shared_ptr<CommBody> make_host_body(std::unique_ptr<Transport> transport);

}  // namespace wan

#include "model/dit/time_cache.hpp"

namespace wan {

TimeCache::TimeCache(Device& device, std::int64_t steps, std::int64_t dim)
    : e_(device, DType::f32, {steps, dim}), e0_(device, DType::f32, {steps, 6 * dim}) {}

}  // namespace wan

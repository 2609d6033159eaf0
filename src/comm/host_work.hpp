#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "comm/body.hpp"
#include "comm/transport.hpp"

/// The operations of the host body. Each starts when it is made; the transport and the tensors outlive it.
namespace wan {

/// Element `element` of a dense tensor.
[[nodiscard]] std::byte* bytes_at(const Tensor& tensor, std::int64_t element);

/// Parts one after the other: where each begins, in elements, and the end.
[[nodiscard]] std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& counts);

/// memmove that allows nothing to be moved.
void move_bytes(void* to, const void* from, std::int64_t bytes);

/// Messages alone. `flight` may be null: nothing to wait for.
[[nodiscard]] std::shared_ptr<Work> make_flight_work(std::unique_ptr<Flight> flight, bool collective = true);

/// Part r of `out` from rank r; this rank's part is in place.
[[nodiscard]] std::shared_ptr<Work> make_gather(Transport& transport, const Tensor& out,
                                                const std::vector<std::int64_t>& counts, int tag);

/// all_reduce of little data: one round, everything to everybody.
[[nodiscard]] std::shared_ptr<Work> make_one_round_reduce(Transport& transport, const Tensor& data, Reduce op,
                                                          int tag);

/// reduce_scatter: parts are exchanged directly and summed in rank order, in segments so that scratch stays
/// bounded. With `gather_tag` >= 0 it is an all_reduce: `out` is this rank's part of `in`, and the parts are
/// gathered afterwards.
[[nodiscard]] std::shared_ptr<Work> make_segmented_reduce(Transport& transport, const Tensor& in,
                                                          const Tensor& out, std::vector<std::int64_t> counts,
                                                          Reduce op, int tag, int gather_tag);

}  // namespace wan

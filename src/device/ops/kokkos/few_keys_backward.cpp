#include <algorithm>
#include <cmath>

#include "device/ops/kokkos/attention_rows.hpp"
#include "device/ops/kokkos/block_launch.hpp"
#include "device/ops/kokkos/busy_share.hpp"
#include "device/ops/kokkos/few_keys_block.hpp"

// Blocks share a head's queries in runs, whose dk and dv are added up in a fixed order. More keys than a
// block holds are taken by turns, after a pass for D over all of them, and dq is added up in fp32.
namespace wan::kernels {
namespace {

template <int room, bool sums_only>
__global__ void __launch_bounds__(FewKeysBlock<room>::threads, 1) run_block(const FewKeysBlock<room> work) {
#if defined(__CUDA_ARCH__)
  extern __shared__ __align__(128) char memory[];
  work.template run<sums_only>(shared_address(memory));
#endif
}

/// Adds up what the runs of a head's queries have of dk and dv.
struct AddRuns {
  int heads, runs, room;
  int segment_keys, first_key, keys;
  const float* partial;
  Matrix<bf16> dk, dv;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t i) const {
    const std::int64_t column = i % few_keys_head_dim;
    const std::int64_t key = i / few_keys_head_dim % keys;
    const std::int64_t which = i / few_keys_head_dim / keys % 2;
    const std::int64_t head = i / few_keys_head_dim / keys / 2;  // of all segments
    const std::int64_t of_run = 2 * room * few_keys_head_dim;
    const float* const from =
        partial + head * runs * of_run + (which * room + key) * few_keys_head_dim + column;
    float sum = 0;
    for (int run = 0; run < runs; ++run) sum += from[run * of_run];
    const Matrix<bf16> to = which == 0 ? dk : dv;
    store(to.row(head / heads * segment_keys + first_key + key) + head % heads * few_keys_head_dim, column,
          sum);
  }
};

/// Into how many runs the queries of each head are cut: so many that the GPU's multiprocessors end together,
/// and few, since each run's sums are written and read again.
int runs_for(std::int64_t heads, std::int64_t tiles, std::int64_t processors) {
  constexpr double cost_of_round = 0.01;
  int best = 1;
  double best_gain = 0;
  for (int runs = 1; runs <= std::min(tiles, processors); ++runs) {
    const std::int64_t blocks = heads * runs;
    const double gain = busy_share(blocks, processors) -
                        cost_of_round * static_cast<double>(blocks) / static_cast<double>(processors);
    if (gain > best_gain) {
      best = runs;
      best_gain = gain;
    }
  }
  return best;
}

/// Keys of each segment of `part` as they are best taken for dq.
Tensor centred_keys(Workspace& workspace, const Tensor& k, const AttentionPart& part) {
  const Tensor out(workspace.take(k.elements() * bytes_of(k.dtype)), k.dtype, {k.rows(), k.cols()});
  for (std::int64_t i = 0; i < part.segments; ++i) {
    const auto segment = [&](const Tensor& t) { return t.row_range(i * part.keys(), (i + 1) * part.keys()); };
    centre_keys(workspace, segment(k), std::exp(part.last_key_bonus), segment(out));
  }
  return out;
}

template <int room>
void run_with_room(Workspace& workspace, const AttentionBackward& a, const AttentionPart& part) {
  const Workspace::Scope scope(workspace);
  const auto queries_of = [&](const Tensor& t) { return t.row_range(part.query_begin, part.query_end); };
  const auto keys_of = [&](const Tensor& t) { return t.row_range(part.key_begin, part.key_end); };
  using Block = FewKeysBlock<room>;
  const int heads = static_cast<int>(a.q.cols() / few_keys_head_dim);
  const int runs =
      runs_for(heads * part.segments, (part.queries() + Block::tile_queries - 1) / Block::tile_queries,
               Space().cuda_device_prop().multiProcessorCount);
  Block work{};
  work.q = matrix<const bf16>(queries_of(a.q));
  work.k = matrix<const bf16>(keys_of(a.k));
  work.k_for_dq = matrix<const bf16>(centred_keys(workspace, keys_of(a.k), part));
  work.v = matrix<const bf16>(keys_of(a.v));
  work.dout = matrix<const bf16>(queries_of(a.dout));
  work.dq = matrix<bf16>(queries_of(a.dq));
  work.lse = a.lse.as<float>() + part.query_begin;
  work.lse_stride = a.q.rows();
  work.queries = static_cast<int>(part.queries());
  work.segment_keys = static_cast<int>(part.keys());
  work.scale = a.scale;
  work.scale_log2 = a.scale * log2_e;
  work.bonus_log2 = part.last_key_bonus * log2_e;
  work.partial = workspace.floats(part.segments * heads * runs * 2 * room * few_keys_head_dim);
  if (part.keys() > room) {
    work.row_sums = workspace.floats(heads * a.q.rows()) + part.query_begin;
    work.dq_so_far = {workspace.floats(queries_of(a.q).elements()), a.q.cols()};
  }
  const dim3 grid(static_cast<unsigned>(runs), static_cast<unsigned>(heads),
                  static_cast<unsigned>(part.segments));
  const auto for_keys = [&](const auto& body) {
    for (work.first_key = 0; work.first_key < work.segment_keys; work.first_key += room) {
      work.held_keys = std::min(room, work.segment_keys - work.first_key);
      body();
    }
  };
  if (work.row_sums != nullptr) {
    for_keys([&] {
      launch_grid("few_keys_row_sums", run_block<room, true>, grid, Block::threads, Block::shared_bytes,
                  work);
    });
  }
  for_keys([&] {
    launch_grid("few_keys_backward", run_block<room, false>, grid, Block::threads, Block::shared_bytes, work);
    launch_items("few_keys_sums", part.segments * heads * 2 * work.held_keys * few_keys_head_dim,
                 AddRuns{heads, runs, room, work.segment_keys, work.first_key, work.held_keys, work.partial,
                         matrix<bf16>(keys_of(a.dk)), matrix<bf16>(keys_of(a.dv))});
  });
}

constexpr int small_room = 64;
constexpr int large_room = 128;

int shared_bytes_allowed() {
  return static_cast<int>(Space().cuda_device_prop().sharedMemPerBlockOptin);
}

/// Places for so many keys, by turns of `room`.
std::int64_t places(std::int64_t keys, std::int64_t room) {
  return (keys + room - 1) / room * room;
}

}  // namespace

bool few_keys_backward_fits() {
  return shared_bytes_allowed() >= FewKeysBlock<small_room>::shared_bytes;
}

void few_keys_backward(Workspace& workspace, const AttentionBackward& a, const AttentionPart& part) {
  const bool large = places(part.keys(), large_room) == places(part.keys(), small_room) &&
                     shared_bytes_allowed() >= FewKeysBlock<large_room>::shared_bytes;
  if (large) {
    run_with_room<large_room>(workspace, a, part);
  } else {
    run_with_room<small_room>(workspace, a, part);
  }
}

}  // namespace wan::kernels

#include <gtest/gtest.h>

#include <mutex>

#include "comm/dry_run.hpp"
#include "model/dit/attention_parts.hpp"
#include "model/dit/rope.hpp"
#include "support/tensors.hpp"
#include "unit/dit/samples.hpp"

namespace wan {
namespace {

using test::Owned;

/// The norm over all heads, forward and backward, on this rank's heads.
struct HeadNorm {
  std::vector<float> y;
  std::vector<float> dx;
  std::vector<float> dweight;
};

constexpr std::int64_t tokens = 20;

std::vector<float> columns(const std::vector<float>& whole, std::int64_t width, std::int64_t begin,
                           std::int64_t end) {
  std::vector<float> out;
  for (std::size_t row = 0; row < whole.size() / static_cast<std::size_t>(width); ++row) {
    const auto from = whole.begin() + static_cast<std::ptrdiff_t>(row) * width;
    out.insert(out.end(), from + begin, from + end);
  }
  return out;
}

HeadNorm run(Device& device, const Communicator& tp) {
  const DitConfig config = test::small_config();
  const std::int64_t own = config.dim() / tp.size();
  const std::int64_t begin = own * tp.rank();
  ParameterUnit unit("unit", DType::f32, {tp.rank(), tp.size()});
  const int group =
      unit.add({ParameterSpec{"weight", {config.dim()}, constant_initialiser(1), 0, {}, true, true}});
  unit.place(device, true);
  Parameters::upload(device, unit.weight(0), test::normals(1, config.dim(), 0.3F, 1).data() + begin);

  const Pack pack({{{2, 2, 5}, 0, 0}}, 1);
  PackBuffers buffers(device, {tokens, 1, 1}, 1);
  const PackView view = buffers.load(pack);
  const RopeAngles angles = rope_angles(8, config.attention_head_dim);
  const Owned cosine(device, DType::f32, {8, config.attention_head_dim / 2}, angles.cosine);
  const Owned sine(device, DType::f32, {8, config.attention_head_dim / 2}, angles.sine);
  const RopeTable rope = {cosine, sine, view.position};
  const Owned x(device, DType::f32, {tokens, own},
                columns(test::normals(2, tokens * config.dim()), config.dim(), begin, begin + own));
  const Owned d(device, DType::f32, {tokens, own},
                columns(test::normals(3, tokens * config.dim()), config.dim(), begin, begin + own));
  const Owned y = test::zeros(device, DType::f32, {tokens, own});
  const Owned rstd = test::zeros(device, DType::f32, {tokens});

  const DeviceBuffer memory(device, 4096);
  Arena arena(memory.data(), memory.bytes());
  const Walk walk(device, arena);
  const DitContext context = {walk, config, view, rope, DType::f32, tp, Keep::all};
  head_norm_forward(context, unit, group, rope, x, y, rstd);
  head_norm_backward(context, unit, group, rope, x, rstd, d);
  return {y.values(), d.values(), test::values_of(device, unit.gradient(0))};
}

TEST(head_norm, split_over_tensor_parallel_ranks_is_the_norm_of_all_heads) {
  // Opened before the ranks share it; its ops keep no state between calls.
  Device& device = test::test_device();
  const HeadNorm whole = run(device, Communicator());
  const std::int64_t dim = test::small_config().dim();
  std::mutex one_rank_at_a_time;
  dry_run(2, [&](const Communicator& tp) {
    const HeadNorm part = run(device, tp);
    const std::lock_guard<std::mutex> lock(one_rank_at_a_time);
    const std::int64_t begin = dim / 2 * tp.rank();
    EXPECT_LE(test::relative_l2(part.y, columns(whole.y, dim, begin, begin + dim / 2)), 1e-6);
    EXPECT_LE(test::relative_l2(part.dx, columns(whole.dx, dim, begin, begin + dim / 2)), 1e-6);
    EXPECT_LE(test::relative_l2(part.dweight, columns(whole.dweight, dim, begin, begin + dim / 2)), 1e-6);
  });
}

}  // namespace
}  // namespace wan

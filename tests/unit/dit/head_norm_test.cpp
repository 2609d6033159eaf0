#include <gtest/gtest.h>

#include <memory>
#include <mutex>

#include "comm/dry_run.hpp"
#include "device/open_device.hpp"
#include "model/dit/attention_parts.hpp"
#include "model/dit/rope.hpp"
#include "support/tensors.hpp"
#include "unit/dit/samples.hpp"

namespace wan {
namespace {

using test::Owned;

/// The norm over all heads, forward and backward, on this rank's heads.
struct Result {
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

/// Of one matrix by itself, then of the same and of another together.
std::vector<Result> run(Device& device, const Communicator& tp) {
  const DitConfig config = test::small_config();
  const std::int64_t own = config.dim() / tp.size();
  const std::int64_t begin = own * tp.rank();
  ParameterUnit unit("unit", DType::f32, {tp.rank(), tp.size()});
  std::vector<int> groups;
  for (const char* name : {"alone", "first", "second"}) {
    groups.push_back(
        unit.add({ParameterSpec{name, {config.dim()}, constant_initialiser(1), 0, {}, true, true}}));
  }
  unit.place(device, true);
  // The first of the pair is the one by itself.
  const std::uint64_t seeds[] = {1, 1, 4};
  for (std::size_t i = 0; i < 3; ++i) {
    Parameters::upload(device, unit.group_weight(groups[i]),
                       test::normals(seeds[i], config.dim(), 0.3F, 1).data() + begin);
  }

  const Pack pack({{{2, 2, 5}, 0, 0}}, 1);
  PackBuffers buffers(device, {tokens, 1, 1}, 1);
  const PackView view = buffers.load(pack);
  const RopeAngles angles = rope_angles(8, config.attention_head_dim);
  const Owned cosine(device, DType::f32, {8, config.attention_head_dim / 2}, angles.cosine);
  const Owned sine(device, DType::f32, {8, config.attention_head_dim / 2}, angles.sine);
  const RopeTable rope = {cosine, sine, view.position};
  const auto own_columns = [&](std::uint64_t seed) {
    return Owned(device, DType::f32, {tokens, own},
                 columns(test::normals(seed, tokens * config.dim()), config.dim(), begin, begin + own));
  };
  std::vector<Owned> x, d, y, rstd;
  for (const std::uint64_t seed : seeds) {
    x.push_back(own_columns(10 + seed));
    d.push_back(own_columns(20 + seed));
    y.push_back(test::zeros(device, DType::f32, {tokens, own}));
    rstd.push_back(test::zeros(device, DType::f32, {tokens}));
  }

  const DeviceBuffer memory(device, 4096);
  Arena arena(memory.data(), memory.bytes());
  const Walk walk(device, arena);
  const DitContext context = {walk, config, view, rope, DType::f32, tp, Keep::all};
  const auto norm = [&](std::size_t i) { return head_norm(unit, groups[i], x[i], rstd[i]); };
  head_norm_forward(context, rope, norm(0), y[0]);
  head_norm_backward(context, rope, norm(0), d[0]);
  head_norms_forward(context, rope, norm(1), y[1], norm(2), y[2]);
  head_norms_backward(context, rope, norm(1), d[1], norm(2), d[2]);
  std::vector<Result> results;
  for (std::size_t i = 0; i < 3; ++i)
    results.push_back(
        {y[i].values(), d[i].values(), test::values_of(device, unit.group_gradient(groups[i]))});
  return results;
}

TEST(head_norm, of_two_together_is_that_of_each) {
  const std::vector<Result> results = run(test::test_device(), Communicator());
  EXPECT_EQ(results[0].y, results[1].y);
  EXPECT_EQ(results[0].dx, results[1].dx);
  EXPECT_EQ(results[0].dweight, results[1].dweight);
}

TEST(head_norm, split_over_tensor_parallel_ranks_is_the_norm_of_all_heads) {
  // The ranks are threads that share a device and meet in host memory, at once: the host, opened before.
  DeviceOptions options;
  options.kind = DeviceKind::host;
  options.threads = 1;
  const std::unique_ptr<Device> host = open_device(options);
  Device& device = *host;
  const std::vector<Result> wholes = run(device, Communicator());
  const std::int64_t dim = test::small_config().dim();
  std::mutex one_rank_at_a_time;
  dry_run(2, [&](const Communicator& tp) {
    const std::vector<Result> parts = run(device, tp);
    const std::lock_guard<std::mutex> lock(one_rank_at_a_time);
    const std::int64_t begin = dim / 2 * tp.rank();
    for (std::size_t i = 0; i < wholes.size(); ++i) {
      const Result& whole = wholes[i];
      const Result& part = parts[i];
      EXPECT_LE(test::relative_l2(part.y, columns(whole.y, dim, begin, begin + dim / 2)), 1e-6);
      EXPECT_LE(test::relative_l2(part.dx, columns(whole.dx, dim, begin, begin + dim / 2)), 1e-6);
      EXPECT_LE(test::relative_l2(part.dweight, columns(whole.dweight, dim, begin, begin + dim / 2)), 1e-6);
    }
  });
}

}  // namespace
}  // namespace wan

#include "model/dit/pack.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "model/dit/pack_buffers.hpp"
#include "support/tensors.hpp"

namespace wan {
namespace {

const std::vector<PackSample> three = {{{2, 1, 3}, 10, 0}, {{1, 1, 1}, 20, 512}, {{1, 2, 2}, 30, 5}};

TEST(pack, offsets_and_segments_follow_the_samples) {
  const Pack pack(three, 8);
  EXPECT_EQ(pack.layout().offset, (std::vector<std::int64_t>{0, 6, 7, 11}));
  EXPECT_EQ(pack.text_offset(), (std::vector<std::int64_t>{0, 1, 513, 519}));
  EXPECT_EQ(pack.rows(), 16);
  EXPECT_EQ(pack.text_rows(), 520);
  EXPECT_EQ(pack.self_attention().query, (std::vector<std::int64_t>{0, 6, 7, 11, 16, 16}));
  EXPECT_EQ(pack.self_attention().key, (std::vector<std::int64_t>{0, 6, 7, 11, 11, 16}));
  EXPECT_EQ(pack.cross_attention().query, pack.self_attention().query);
  EXPECT_EQ(pack.cross_attention().key, (std::vector<std::int64_t>{0, 1, 513, 519, 519, 520}));
  EXPECT_EQ(pack.cross_attention().last_key_count, (std::vector<std::int64_t>{512, 1, 507, 1, 1}));
}

TEST(pack, device_copy_tells_each_token_its_sample_and_place) {
  Device& device = test::test_device();
  PackBuffers buffers(device, {12, 600, 3}, 8);
  const Pack pack(three, 8);
  for (int again = 0; again < 2; ++again) {
    const PackView view = buffers.load(pack);
    std::vector<std::int32_t> row(16);
    std::vector<std::int32_t> place(48);
    device.copy(row.data(), view.row_index.data, view.row_index.bytes());
    device.copy(place.data(), view.position.data, view.position.bytes());
    device.synchronize();
    EXPECT_EQ(row, (std::vector<std::int32_t>{0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2}));
    EXPECT_EQ(std::vector<std::int32_t>(place.begin() + 3 * 4, place.begin() + 3 * 5),
              (std::vector<std::int32_t>{1, 0, 1}));
    EXPECT_EQ(std::vector<std::int32_t>(place.begin() + 3 * 6, place.begin() + 3 * 7),
              (std::vector<std::int32_t>{0, 0, 0}));
    EXPECT_EQ(std::vector<std::int32_t>(place.begin() + 3 * 10, place.end()),
              (std::vector<std::int32_t>{0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(test::values_of(device, view.timestep), (std::vector<float>{10, 20, 30}));
  }
}

TEST(pack, what_cannot_be_is_refused) {
  EXPECT_THROW(Pack({{{0, 1, 1}, 0, 0}}, 8), Error);
  EXPECT_THROW(Pack({{{1, 1, 1}, 0, 513}}, 8), Error);
  EXPECT_THROW(Pack({{{1, 1, 1}, 0, -1}}, 8), Error);
  PackBuffers buffers(test::test_device(), {16, 24, 2}, 8);
  for (const std::vector<PackSample>& large :
       {std::vector<PackSample>{{{17, 1, 1}, 0, 0}}, std::vector<PackSample>{{{1, 1, 1}, 0, 24}},
        std::vector<PackSample>(3, {{1, 1, 1}, 0, 0})}) {
    const Pack pack(large, 8);
    EXPECT_THROW((void)buffers.load(pack), Error);
  }
}

TEST(pack, the_largest_fills_its_capacity) {
  for (const PackCapacity capacity :
       {PackCapacity{100, 40, 7}, PackCapacity{7, 7 * 512, 7}, PackCapacity{50, 1, 1}}) {
    const Pack pack = Pack::largest(capacity, 1);
    EXPECT_EQ(pack.rows(), capacity.tokens);
    EXPECT_GE(pack.text_rows(), capacity.text_rows);
    EXPECT_EQ(static_cast<std::int64_t>(pack.samples().size()), capacity.samples);
  }
}

}  // namespace
}  // namespace wan

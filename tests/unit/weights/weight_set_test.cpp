#include "weights/weight_set.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

class WeightSetTest : public testing::Test {
 protected:
  WeightSetTest() { std::iota(values_.begin(), values_.end(), 1.0F); }

  void write_shards(const std::string& index) {
    write_safetensors(folder_ / "one.safetensors", {a_, c_});
    write_safetensors(folder_ / "two.safetensors", {b_});
    write_file_atomically(folder_ / "model.safetensors.index.json", index);
  }

  test::TemporaryFolder folder_;
  std::vector<float> values_ = std::vector<float>(24);
  TensorToStore a_{"a", DType::f32, {2, 3}, values_.data()};
  TensorToStore b_{"b", DType::f32, {4}, values_.data() + 6};
  TensorToStore c_{"c", DType::f32, {5}, values_.data() + 10};
};

const std::string good_index =
    R"({"metadata":{"total_size":60},"weight_map":{"a":"one.safetensors","b":"two.safetensors","c":"one.safetensors"}})";

TEST_F(WeightSetTest, shards_read_and_hash_as_one_file) {
  write_shards(good_index);
  const test::TemporaryFolder single;
  write_safetensors(single / "diffusion_pytorch_model.safetensors", {c_, b_, a_});
  const WeightSet sharded = WeightSet::open_component(folder_.path());
  const WeightSet whole = WeightSet::open_component(single.path());
  EXPECT_EQ(sharded.names(), whole.names());
  std::vector<float> out(6);
  sharded.read("a", {2, 3}, out.data());
  EXPECT_EQ(out, std::vector<float>(values_.begin(), values_.begin() + 6));
  EXPECT_EQ(component_hash(sharded), component_hash(whole));
  Hash128 sum = component_hash(sharded, 0, 2);
  sum += component_hash(sharded, 1, 2);
  EXPECT_EQ(sum, component_hash(whole));
}

TEST_F(WeightSetTest, the_hash_sees_value_name_shape_and_position) {
  const auto hash_of = [&](const TensorToStore& tensor) {
    write_safetensors(folder_ / "x.safetensors", {tensor});
    return component_hash(WeightSet::open_file(folder_ / "x.safetensors"));
  };
  const Hash128 original = hash_of(a_);
  EXPECT_EQ(hash_of(a_), original);
  EXPECT_NE(hash_of({"b", DType::f32, {2, 3}, values_.data()}), original);
  EXPECT_NE(hash_of({"a", DType::f32, {3, 2}, values_.data()}), original);
  EXPECT_NE(hash_of({"a", DType::i32, {2, 3}, values_.data()}), original);
  std::swap(values_[0], values_[1]);
  EXPECT_NE(hash_of(a_), original);
}

TEST_F(WeightSetTest, indices_that_lie_are_refused) {
  for (const std::string index :
       {"", "[]", "{}", R"({"weight_map":[]})", R"({"weight_map":{"a":1}})",
        R"({"weight_map":{"a":"../one.safetensors"}})", R"({"weight_map":{"a":"/etc/passwd"}})",
        R"({"weight_map":{"a":""}})", R"({"weight_map":{"a":"two.safetensors","b":"one.safetensors"}})",
        R"({"weight_map":{"d":"one.safetensors"}})"}) {
    write_shards(index);
    EXPECT_THROW((void)WeightSet::open_component(folder_.path()), DataError) << index;
  }
  write_shards(R"({"weight_map":{"a":"three.safetensors"}})");
  EXPECT_THROW((void)WeightSet::open_component(folder_.path()), NoInputError);
  write_shards(good_index);
  write_safetensors(folder_ / "two.safetensors", {a_, b_});
  EXPECT_THROW((void)WeightSet::open_component(folder_.path()), DataError) << "a tensor in two shards";
}

TEST_F(WeightSetTest, wrong_names_and_shapes_are_refused) {
  write_shards(good_index);
  const WeightSet weights = WeightSet::open_component(folder_.path());
  std::vector<float> out(6);
  EXPECT_THROW(weights.read("a", {3, 2}, out.data()), DataError);
  EXPECT_THROW(weights.read("d", {3, 2}, out.data()), DataError);
  const test::TemporaryFolder empty;
  EXPECT_THROW((void)WeightSet::open_component(empty.path()), NoInputError);
}

}  // namespace
}  // namespace wan

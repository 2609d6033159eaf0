#include "model/parameters.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "support/tensors.hpp"

namespace wan {
namespace {

using test::test_device;
using test::values_of;

ParameterSpec matrix(const std::string& name, std::int64_t rows, std::int64_t cols, int tp_axis = -1) {
  ParameterSpec spec;
  spec.name = name;
  spec.shape = {rows, cols};
  spec.initialiser = normal_initialiser(1);
  spec.tp_axis = tp_axis;
  return spec;
}

ParameterSpec vector_fp32(const std::string& name, std::int64_t size) {
  ParameterSpec spec;
  spec.name = name;
  spec.shape = {size};
  spec.initialiser = uniform_initialiser(0.5);
  spec.keep_fp32 = true;
  return spec;
}

ParameterSpec frozen(ParameterSpec spec) {
  spec.trainable = false;
  return spec;
}

/// Groups: norm (fp32), q and k joined, a frozen matrix, o.
Parameters sample_parameters(DType storage, TensorShard shard = {}) {
  ParameterUnit unit("unit", storage, shard);
  unit.add({vector_fp32("norm", 5)});
  unit.add({matrix("q", 3, 7), matrix("k", 4, 7)});
  unit.add({frozen(matrix("table", 2, 2))});
  unit.add({matrix("o", 9, 2)});
  std::vector<ParameterUnit> units;
  units.push_back(std::move(unit));
  return Parameters(std::move(units), shard);
}

class Storage : public ::testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(both, Storage, ::testing::Values(DType::f32, DType::bf16));

TEST_P(Storage, elements_are_numbered_once_without_overlap_and_frozen_ones_come_last) {
  const Parameters parameters = sample_parameters(GetParam());
  const ParameterUnit& unit = parameters.unit(0);
  std::vector<int> owner(static_cast<std::size_t>(unit.elements()), -1);
  for (std::size_t i = 0; i < unit.parameters().size(); ++i) {
    const Parameter& p = unit.parameters()[i];
    EXPECT_EQ(p.offset < unit.trainable_elements(), p.spec.trainable) << p.spec.name;
    for (std::int64_t e = p.offset; e < p.offset + p.elements(); ++e) {
      ASSERT_EQ(owner.at(static_cast<std::size_t>(e)), -1);
      owner[static_cast<std::size_t>(e)] = static_cast<int>(i);
    }
  }
  EXPECT_EQ(unit.elements() % ParameterUnit::alignment, 0);
  EXPECT_EQ(parameters.elements(), 5 + 21 + 28 + 4 + 18);

  std::int64_t covered = 0;
  for (const auto& [first, weights] : unit.weight_runs()) {
    EXPECT_EQ(first, covered);
    covered += weights.elements();
  }
  EXPECT_EQ(covered, unit.trainable_elements());
  EXPECT_EQ(unit.weight_runs().size(), GetParam() == DType::f32 ? 1U : 2U);
}

TEST_P(Storage, pieces_of_any_cut_cover_every_element_of_every_parameter_once) {
  const Parameters parameters = sample_parameters(GetParam());
  const ParameterUnit& unit = parameters.unit(0);
  for (std::int64_t cut = 0; cut <= unit.elements(); cut += 5) {
    std::vector<std::int64_t> next(unit.parameters().size(), 0);
    for (const auto& [begin, end] : {std::pair{std::int64_t{0}, cut}, std::pair{cut, unit.elements()}}) {
      for (const ParameterPiece& piece : unit.pieces(begin, end)) {
        const auto index = static_cast<std::size_t>(piece.parameter);
        EXPECT_EQ(piece.first, next[index]);
        EXPECT_EQ(piece.offset, unit.parameters()[index].offset + piece.first);
        EXPECT_TRUE(piece.offset >= begin && piece.offset + piece.count <= end);
        next[index] += piece.count;
      }
    }
    for (std::size_t i = 0; i < next.size(); ++i) EXPECT_EQ(next[i], unit.parameters()[i].elements());
  }
}

TEST_P(Storage, decayed_ranges_hold_the_matrices_and_nothing_else) {
  const Parameters parameters = sample_parameters(GetParam());
  const ParameterUnit& unit = parameters.unit(0);
  const std::int64_t begin = 3;
  std::vector<bool> decayed(static_cast<std::size_t>(unit.elements()), false);
  for (const auto& [from, to] : unit.decayed(begin, unit.elements())) {
    for (std::int64_t e = from; e < to; ++e) decayed.at(static_cast<std::size_t>(begin + e)) = true;
  }
  for (const Parameter& p : unit.parameters()) {
    for (std::int64_t e = p.offset; e < p.offset + p.elements(); ++e) {
      EXPECT_EQ(decayed[static_cast<std::size_t>(e)], p.spec.decayed() && e >= begin) << p.spec.name;
    }
  }
}

TEST_P(Storage, a_group_is_one_matrix_of_its_parameters) {
  Parameters parameters = sample_parameters(GetParam());
  parameters.place(test_device(), true);
  parameters.initialise(test_device(), 7);
  const ParameterUnit& unit = parameters.unit(0);
  const Tensor joined = unit.group_weight(unit.parameters()[static_cast<std::size_t>(unit.find("k"))].group);
  EXPECT_EQ(joined.shape, Shape({7, 7}));
  std::vector<float> expected = values_of(test_device(), unit.weight(unit.find("q")));
  const std::vector<float> k = values_of(test_device(), unit.weight(unit.find("k")));
  expected.insert(expected.end(), k.begin(), k.end());
  EXPECT_EQ(values_of(test_device(), joined), expected);
  EXPECT_FALSE(unit.gradient(unit.find("table")));
  EXPECT_TRUE(unit.gradient(unit.find("q")));
}

TEST_P(Storage, weights_round_to_nearest_even_and_come_back) {
  Parameters parameters = sample_parameters(GetParam());
  parameters.place(test_device(), false);
  // 1 + 2^-8 lies half way between two bf16 numbers and rounds to the even one, 1.
  parameters.load(test_device(), [](const ParameterSpec& spec, float* out) {
    std::fill(out, out + spec.shape.elements(), 1.00390625F);
  });
  for (const Parameter& p : parameters.unit(0).parameters()) {
    const Parameters::Place place = parameters.find(p.spec.name);
    const float expected = GetParam() == DType::bf16 && !p.spec.keep_fp32 ? 1.0F : 1.00390625F;
    EXPECT_EQ(values_of(test_device(), place.unit->weight(place.parameter)),
              std::vector<float>(static_cast<std::size_t>(p.elements()), expected));
  }
  EXPECT_THROW((void)parameters.find("nothing"), InternalError);
}

TEST(initial_values, do_not_depend_on_where_a_run_begins) {
  for (const Initialiser& start :
       {normal_initialiser(0.02), uniform_initialiser(0.3), constant_initialiser(1)}) {
    ParameterSpec spec = matrix("w", 10, 10);
    spec.initialiser = start;
    std::vector<float> whole(100);
    initial_values(spec, 5, 0, 100, whole.data());
    for (const std::int64_t first : {1, 2, 3, 4, 50, 99}) {
      std::vector<float> part(static_cast<std::size_t>(100 - first));
      initial_values(spec, 5, first, 100 - first, part.data());
      EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + first));
    }
  }
}

TEST(initial_values, have_the_spread_asked_for_and_differ_by_name_and_seed) {
  ParameterSpec spec = matrix("w", 200, 200);
  spec.initialiser = xavier_initialiser(200, 200);
  std::vector<float> uniform(40000);
  initial_values(spec, 5, 0, 40000, uniform.data());
  const double bound = std::sqrt(6.0 / 400);
  EXPECT_LE(*std::max_element(uniform.begin(), uniform.end()), bound);
  EXPECT_GE(*std::min_element(uniform.begin(), uniform.end()), -bound);
  const double square = std::inner_product(uniform.begin(), uniform.end(), uniform.begin(), 0.0) / 40000;
  EXPECT_NEAR(square, bound * bound / 3, bound * bound / 3 * 0.03);
  std::vector<float> other(40000);
  initial_values(spec, 6, 0, 40000, other.data());
  EXPECT_NE(uniform, other);
  spec.name = "v";
  initial_values(spec, 5, 0, 40000, other.data());
  EXPECT_NE(uniform, other);
}

TEST(tensor_shards, hold_the_rows_or_columns_of_the_whole) {
  for (const int axis : {0, 1}) {
    std::vector<std::vector<float>> shards;
    for (const TensorShard shard : {TensorShard{0, 1}, TensorShard{0, 2}, TensorShard{1, 2}}) {
      std::vector<ParameterUnit> units;
      units.emplace_back("unit", DType::f32, shard);
      units.back().add({matrix("w", 4, 6, axis)});
      Parameters parameters(std::move(units), shard);
      parameters.place(test_device(), false);
      parameters.initialise(test_device(), 3);
      shards.push_back(values_of(test_device(), parameters.unit(0).weight(0)));
    }
    for (std::size_t r = 0; r < 4; ++r) {
      for (std::size_t c = 0; c < 6; ++c) {
        const std::size_t rank = axis == 0 ? r / 2 : c / 3;
        const std::size_t at = axis == 0 ? (r % 2) * 6 + c : r * 3 + c % 3;
        EXPECT_EQ(shards[1 + rank][at], shards[0][r * 6 + c]);
      }
    }
  }
  EXPECT_THROW(ParameterUnit("unit", DType::f32, {0, 3}).add({matrix("w", 4, 6, 0)}), ConfigError);
}

}  // namespace
}  // namespace wan

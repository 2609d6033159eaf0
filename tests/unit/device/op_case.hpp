#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "device/ops.hpp"
#include "support/tensors.hpp"
#include "tolerances.hpp"

namespace wan::test {

/// Random sizes and tensors of one case; the same seed gives the same case to every body.
class Case {
 public:
  Case(std::uint64_t seed, DType storage) : seed_(seed), storage_(storage) {}

  [[nodiscard]] DType storage() const { return storage_; }
  /// In [low, high].
  std::int64_t size(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool coin() { return size(0, 1) == 1; }
  /// A number of columns in [low, high]; in half of all cases it and the bands made later are such that GPU
  /// kernels take columns in packs of 8.
  std::int64_t columns(std::int64_t low, std::int64_t high) {
    in_packs_ = coin();
    const std::int64_t found = size(low, high);
    return in_packs_ ? (found + 7) / 8 * 8 : found;
  }
  /// Bands made later are such that GPU kernels take columns in packs, where their number allows it.
  void allow_packs() { in_packs_ = true; }
  /// Storage dtype, dense.
  Owned tensor(const Shape& shape, float deviation = 1, float mean = 0) {
    return random(test_device(), storage_, shape, next(), deviation, mean);
  }
  /// Storage dtype, a band of a wider matrix.
  Owned band(const Shape& shape, float deviation = 1) { return band_of(storage_, shape, deviation); }
  Owned fp32(const Shape& shape, float deviation = 1, float mean = 0) {
    return random(test_device(), DType::f32, shape, next(), deviation, mean);
  }
  Owned fp32_band(const Shape& shape, float deviation = 1) { return band_of(DType::f32, shape, deviation); }
  /// [0, 0, …, 1, 1, …]: `rows` runs over `tokens` tokens that never decrease, some of them empty.
  Owned runs(std::int64_t tokens, std::int64_t rows);
  /// As runs, of 1, 2, 3, 1, 2, 3, … tokens each.
  static Owned short_runs(std::int64_t tokens);

 private:
  std::uint64_t next() { return mix64(seed_ + 0x9E3779B97F4A7C15U * ++count_); }
  Owned band_of(DType dtype, const Shape& shape, float deviation) {
    const std::int64_t left = in_packs_ ? 8 * size(0, 1) : size(0, 5);
    const std::int64_t right = in_packs_ ? 8 * size(0, 1) : size(0, 7);
    return Owned::band(test_device(), dtype, shape, normals(next(), shape.elements(), deviation), left,
                       right);
  }

  std::uint64_t seed_;
  std::uint64_t count_ = 0;
  DType storage_;
  bool in_packs_ = false;
};

inline Owned Case::runs(std::int64_t tokens, std::int64_t rows) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(tokens));
  std::int64_t row = 0;
  for (std::int32_t& value : out) {
    if (row + 1 < rows && size(0, 9) == 0) row += size(1, rows - 1 - row);
    value = static_cast<std::int32_t>(row);
  }
  return Owned::integers(test_device(), {tokens}, out);
}

inline Owned Case::short_runs(std::int64_t tokens) {
  constexpr std::int32_t of_six[] = {0, 1, 1, 2, 2, 2};
  std::vector<std::int32_t> out;
  for (std::int64_t token = 0; token < tokens; ++token)
    out.push_back(static_cast<std::int32_t>(token / 6 * 3) + of_six[token % 6]);
  return Owned::integers(test_device(), {tokens}, out);
}

enum class Kind { forward, gradient };

struct Output {
  std::string name;
  Kind kind;
  std::vector<float> values;
  bool canary_intact = true;
};

inline Output output(std::string name, const Owned& tensor) {
  return {std::move(name), Kind::forward, tensor.values(), tensor.canary_intact()};
}
inline Output gradient(std::string name, const Owned& tensor) {
  return {std::move(name), Kind::gradient, tensor.values(), tensor.canary_intact()};
}

/// relative_l2, or the root mean square of the difference where the expected values are smaller than inputs
/// of size 1 can resolve: a softmax over one key has a gradient of exactly 0 that fp32 meets up to rounding.
inline double distance(const std::vector<float>& found, const std::vector<float>& expected) {
  const double relative = relative_l2(found, expected);
  std::vector<float> one(expected.size(), 1.0F);
  std::vector<float> shifted = one;
  for (std::size_t i = 0; i < one.size() && i < found.size(); ++i) {
    if (std::abs(expected[i]) > 1e-5F) return relative;
    shifted[i] += found[i] - expected[i];
  }
  return std::min(relative, relative_l2(shifted, one));
}

/// Runs `body` once with each of two bodies of an interface on cases of the same seeds, in both storage
/// types, and compares what it returns.
template <class Interface>
void compare_bodies(int cases, Interface& reference, Interface& host,
                    const std::function<std::vector<Output>(Case&, Interface&)>& body) {
  for (const DType storage : {DType::f32, DType::bf16}) {
    for (int seed = 0; seed < cases; ++seed) {
      Case for_reference(static_cast<std::uint64_t>(seed), storage);
      Case for_host(static_cast<std::uint64_t>(seed), storage);
      const std::vector<Output> expected = body(for_reference, reference);
      const std::vector<Output> found = body(for_host, host);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_LE(distance(found[i].values, expected[i].values),
                  tolerance(storage, expected[i].kind == Kind::gradient))
            << found[i].name << ", seed " << seed << ", " << name_of(storage);
        EXPECT_TRUE(found[i].canary_intact)
            << found[i].name << ", seed " << seed << ": wrote beside its band";
      }
    }
  }
}

inline void compare_with_reference(int cases, const std::function<std::vector<Output>(Case&, Ops&)>& body) {
  compare_bodies<Ops>(cases, reference_ops(), test_device().ops(), body);
}

}  // namespace wan::test

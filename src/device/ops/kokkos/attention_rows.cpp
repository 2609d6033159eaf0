#include "device/ops/kokkos/attention_rows.hpp"

#include <cmath>
#include <limits>

#include "device/ops/kokkos/column_sums.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/storage.hpp"
#include "device/ops/kokkos/vector_math.hpp"

namespace wan::kernels {
namespace {

template <class P>
struct Softmax {
  AttentionRows rows;
  const float* logits;
  P* shares;
  float* lse;
  std::int64_t lse_stride;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    const std::int64_t head = row / rows.queries;
    const std::int64_t query = row % rows.queries;
    const std::int64_t last = rows.keys - 1;
    const float bonus = rows.last_key_bonus;
    const float* const in = logits + row * rows.stride;
    P* const out = shares + row * rows.stride;
    const float* const bias = rows.position_bias == nullptr
                                  ? nullptr
                                  : rows.position_bias + head * (2 * rows.longest - 1) + rows.longest - 1 -
                                        rows.first_query - query;
    const auto logit = [=](std::int64_t j) {
      return in[j] + (j == last ? bonus : 0.0F) + (bias == nullptr ? 0.0F : bias[j]);
    };
    const float highest = lanes.largest(rows.keys, -std::numeric_limits<float>::infinity(), logit);
    const float sum = lanes.sum(rows.keys, [=](std::int64_t j) { return exp_fast(logit(j) - highest); });
    const float share = 1.0F / sum;
    lanes.each(rows.keys, [=](std::int64_t j) { store(out, j, exp_fast(logit(j) - highest) * share); });
    if (lse != nullptr) {
      float* const to = lse + head * lse_stride + query;
      lanes.once([=] { *to = highest + std::log(sum); });
    }
  }
};

template <class T>
struct DotRows {
  std::int64_t queries;
  std::int64_t head_dim;
  Matrix<T> dout;
  Matrix<T> o;
  float* out;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    const std::int64_t first = row / queries * head_dim;
    const T* const a = dout.row(row % queries) + first;
    const T* const b = o.row(row % queries) + first;
    const float sum = lanes.sum(head_dim, [=](std::int64_t d) { return load(a, d) * load(b, d); });
    float* const to = out + row;
    lanes.once([=] { *to = sum; });
  }
};

template <class P>
struct GradientRow {
  AttentionRows rows;
  float scale;
  const float* logits;
  const float* dshares;
  const float* lse;
  std::int64_t lse_stride;
  const float* row_sum;
  P* shares;
  P* gradient;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    const float shift = lse[row / rows.queries * lse_stride + row % rows.queries];
    const float factor = scale;
    const std::int64_t last = rows.keys - 1;
    const float bonus = rows.last_key_bonus;
    const std::int64_t first = row * rows.stride;
    const float* const in = logits + first;
    const float* const slope = dshares + first;
    P* const to_shares = shares + first;
    P* const to_gradient = gradient + first;
    const auto share = [=](std::int64_t j) { return exp_fast(in[j] + (j == last ? bonus : 0.0F) - shift); };
    const float sum = row_sum != nullptr
                          ? row_sum[row]
                          : lanes.sum(rows.keys, [=](std::int64_t j) { return share(j) * slope[j]; });
    lanes.each(rows.keys, [=](std::int64_t j) {
      const float p = share(j);
      const float d = slope[j];
      store(to_shares, j, p);
      store(to_gradient, j, factor * p * (d - sum));
    });
  }
};

template <class T>
struct CentreRow {
  std::int64_t cols;
  std::int64_t last;    ///< the last key's row
  float further_times;  ///< that it counts beyond once
  const float* sum;     ///< of all rows
  Matrix<T> keys;
  Matrix<T> out;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    const T* const in = keys.row(row);
    const T* const repeated = keys.row(last);
    T* const to = out.row(row);
    const float* const total = sum;
    const float times = further_times;
    const float share = 1.0F / (static_cast<float>(last + 1) + times);
    lanes.each(cols, [=](std::int64_t c) {
      store(to, c, load(in, c) - (total[c] + times * load(repeated, c)) * share);
    });
  }
};

/// Where buckets begin, by which a kernel finds them without logarithms and without a table to wait for.
struct BucketBorders {
  int half;                                       ///< buckets on either side
  std::int32_t first[RelativeBuckets::most / 2];  ///< smallest distance, without its sign, of each

  KOKKOS_FORCEINLINE_FUNCTION int bucket(std::int64_t distance) const {
    const std::int64_t size = distance < 0 ? -distance : distance;
    int place = 0;
    while (place + 1 < half && first[place + 1] <= size) ++place;
    return (distance > 0 ? half : 0) + place;
  }
};

BucketBorders borders_of(const RelativeBuckets& buckets) {
  BucketBorders out{static_cast<int>(buckets.count / 2), {}};
  for (std::int64_t size = 1, place = 0; place + 1 < out.half; ++size) {
    while (place < buckets.bucket(-size)) out.first[++place] = static_cast<std::int32_t>(size);
  }
  return out;
}

template <class B>
struct SpreadBias {
  std::int64_t longest;
  BucketBorders borders;
  Matrix<B> bias;
  float* out;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(std::int64_t item) const {
    const std::int64_t distances = 2 * longest - 1;
    out[item] = load(bias.row(borders.bucket(item % distances - (longest - 1))), item / distances);
  }
};

template <class T>
struct FillRow {
  std::int64_t cols;
  float value;
  Matrix<T> out;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    T* const to = out.row(row);
    const float filled = value;
    lanes.each(cols, [=](std::int64_t c) { store(to, c, filled); });
  }
};

}  // namespace

void softmax_rows(const AttentionRows& rows, const float* logits, const Tensor& shares, float* lse,
                  std::int64_t lse_stride) {
  with_storage(shares, [&](auto to) {
    using P = std::remove_pointer_t<decltype(to.data)>;
    launch_rows("attention_softmax", rows.heads * rows.queries,
                Softmax<P>{rows, logits, to.data, lse, lse_stride});
  });
}

void dot_rows(const Tensor& dout, const Tensor& o, std::int64_t head_dim, float* row_sum) {
  with_storage(o, [&](auto rows) {
    using T = std::remove_pointer_t<decltype(rows.data)>;
    launch_rows("attention_dots", o.rows() * (o.cols() / head_dim),
                DotRows<T>{o.rows(), head_dim, matrix<T>(dout), rows, row_sum});
  });
}

void attention_gradient_rows(const AttentionRows& rows, float scale, const float* logits,
                             const float* dshares, const float* lse, std::int64_t lse_stride,
                             const float* row_sum, const Tensor& shares, const Tensor& gradient) {
  with_storage(shares, [&](auto to) {
    using P = std::remove_pointer_t<decltype(to.data)>;
    launch_rows(
        "attention_gradient", rows.heads * rows.queries,
        GradientRow<P>{rows, scale, logits, dshares, lse, lse_stride, row_sum, to.data, gradient.as<P>()});
  });
}

void centre_keys(Workspace& workspace, const Tensor& keys, float last_key_count, const Tensor& out) {
  const Workspace::Scope scope(workspace);
  float* const sum = workspace.floats(keys.cols());
  fill(Tensor(sum, DType::f32, {1, keys.cols()}), 0);
  with_storage(keys, [&](auto rows) {
    using T = std::remove_pointer_t<decltype(rows.data)>;
    add_column_sums("key_sums", workspace, keys.rows(), keys.cols(), nullptr, sum, keys.cols(),
                    MatrixElement<T>{rows});
    launch_rows("centre_keys", keys.rows(),
                CentreRow<T>{keys.cols(), keys.rows() - 1, last_key_count - 1, sum, rows, matrix<T>(out)});
  });
}

const float* spread_position_bias(Workspace& workspace, const Tensor& bias, const RelativeBuckets& buckets,
                                  std::int64_t longest) {
  const std::int64_t distances = 2 * longest - 1;
  float* const out = workspace.floats(bias.cols() * distances);
  with_storage(bias, [&](auto table) {
    using B = std::remove_pointer_t<decltype(table.data)>;
    launch_elements("position_bias", bias.cols() * distances,
                    SpreadBias<B>{longest, borders_of(buckets), table, out});
  });
  return out;
}

void fill(const Tensor& tensor, float value) {
  with_storage(tensor, [&](auto out) {
    using T = std::remove_pointer_t<decltype(out.data)>;
    launch_rows("fill", tensor.rows(), FillRow<T>{tensor.cols(), value, out});
  });
}

}  // namespace wan::kernels

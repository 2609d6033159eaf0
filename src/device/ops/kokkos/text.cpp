#include <type_traits>

#include "device/ops/kokkos/kokkos_text_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
#include "device/ops/kokkos/matrix_elements.hpp"
#include "device/ops/kokkos/storage.hpp"
#include "device/ops/kokkos/vector_math.hpp"

namespace wan {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): a file of kernels

template <class T>
struct Gather {
  std::int64_t columns;
  const std::int32_t* id;
  Matrix<T> table;
  Matrix<T> y;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    const T* const in = table.row(id[row]);
    T* const out = y.row(row);
    lanes.each(columns, [=](std::int64_t c) { out[c] = in[c]; });
  }
};

template <class T>
struct Gate {
  const T* gate;
  const T* value;
  T* y;

  template <class At>
  KOKKOS_FORCEINLINE_FUNCTION auto operands(At i) const {
    return Operands<decltype(raw(gate, i)), decltype(raw(value, i))>{raw(gate, i), raw(value, i)};
  }
  template <class At, class In>
  KOKKOS_FORCEINLINE_FUNCTION void operator()(At i, const In& in) const {
    const auto opening =
        each_part(wide(in.a), [](float u) { return activate<Activation::gelu_tanh, exactness_for<T>>(u); });
    store(y, i, opening * wide(in.b));
  }
};

template <class T>
struct GateRow {
  Matrix<T> gate;
  Matrix<T> value;
  Matrix<T> y;

  KOKKOS_FORCEINLINE_FUNCTION Gate<T> operator()(std::int64_t row) const {
    return {gate.row(row), value.row(row), y.row(row)};
  }
};

}  // namespace

void KokkosTextOps::run(const GatherRows& a) {
  with_storage(a.table, [&](auto table) {
    using T = std::remove_pointer_t<decltype(table.data)>;
    launch_rows("gather_rows", a.y.rows(),
                Gather<T>{a.y.cols(), a.id.as<std::int32_t>(), table, matrix<T>(a.y)});
  });
}

void KokkosTextOps::run(const GatedGelu& a) {
  with_storage(a.gate, [&](auto gate) {
    using T = std::remove_pointer_t<decltype(gate.data)>;
    const GateRow<T> of_row{gate, matrix<T>(a.value), matrix<T>(a.y)};
    launch_matrix_elements("gated_gelu", a.y.rows(), a.y.cols(), of_row, of_row.gate, of_row.value, of_row.y);
  });
}

}  // namespace wan

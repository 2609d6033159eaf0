#include <type_traits>

#include "device/ops/kokkos/kokkos_text_ops.hpp"
#include "device/ops/kokkos/launch.hpp"
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
  std::int64_t columns;
  Matrix<T> gate;
  Matrix<T> value;
  Matrix<T> y;

  KOKKOS_FORCEINLINE_FUNCTION void operator()(const Lanes& lanes, std::int64_t row) const {
    const T* const opening = gate.row(row);
    const T* const through = value.row(row);
    T* const out = y.row(row);
    lanes.each(columns, [=](std::int64_t c) {
      store(out, c, activate<Activation::gelu_tanh>(load(opening, c)) * load(through, c));
    });
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
    launch_rows("gated_gelu", a.y.rows(), Gate<T>{a.y.cols(), gate, matrix<T>(a.value), matrix<T>(a.y)});
  });
}

}  // namespace wan

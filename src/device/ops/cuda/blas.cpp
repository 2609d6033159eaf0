#include "device/ops/cuda/blas.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <tuple>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/ops/cuda/lt_product.hpp"
#include "device/ops/cuda/memory.hpp"
#include "device/ops/cuda/race.hpp"

namespace wan::cuda {
namespace {

/// Algorithms that take part in a race.
constexpr int racers = 8;
/// Smaller products end before a choice could pay: 10 GFLOP are some 15 us.
constexpr double flops_worth_a_race = 1e10;

/// The next number of three binary digits and zeros: sizes that share it share an algorithm.
std::int64_t size_class(std::int64_t size) {
  std::int64_t step = 1;
  while (size > 8 * step) step *= 2;
  return (size + step - 1) / step * step;
}

/// The algorithm's opaque words and the time it took, as a choice is kept.
std::string text_of(const cublasLtMatmulAlgo_t& algorithm, float ms) {
  std::string out = cat(ms);
  for (const std::uint64_t word : algorithm.data) out += cat(" ", word);
  return out;
}

/// Inverse of text_of; false if `text` is something else.
bool read_choice(const std::string& text, cublasLtMatmulAlgo_t& algorithm, float& ms) {
  const std::vector<std::string> words = split(text, ' ');
  if (words.size() != 1 + std::size(algorithm.data)) return false;
  try {
    ms = std::stof(words[0]);
    for (std::size_t i = 1; i < words.size(); ++i) algorithm.data[i - 1] = std::stoull(words[i]);
  } catch (const std::exception&) {
    return false;
  }
  return true;
}

/// Bytes from the first element of c to its last.
std::int64_t extent_of_c(const Product& p) {
  return ((p.batches - 1) * p.c_batch_stride + (p.rows - 1) * p.c_stride + p.cols) * bytes_of(p.result);
}

}  // namespace

struct Blas::Library {
  Library() { check_status(cublasLtCreate(&handle), "start"); }
  ~Library() { cublasLtDestroy(handle); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  cublasLtHandle_t handle = nullptr;
};

struct Blas::Key {
  explicit Key(const Product& p)
      : sizes{p.rows,           p.cols,           p.inner,    p.batches,        p.a.stride,  p.b.stride,
              p.a.batch_stride, p.b.batch_stride, p.c_stride, p.c_batch_stride, p.aux_stride},
        alignments{alignment_of(p.a.data), alignment_of(p.b.data), alignment_of(p.c), alignment_of(p.bias),
                   alignment_of(p.aux)},
        kinds{static_cast<int>(p.storage), static_cast<int>(p.result), static_cast<int>(p.epilogue),
              p.a.transposed ? 1 : 0,      p.b.transposed ? 1 : 0,     p.aux != nullptr ? 1 : 0,
              p.beta == 0 ? 0 : 1} {}

  bool operator<(const Key& other) const {
    return std::tie(sizes, alignments, kinds) < std::tie(other.sizes, other.alignments, other.kinds);
  }

  /// The class of products that share a choice.
  [[nodiscard]] std::string text() const {
    std::string out = "product";
    for (std::size_t i = 0; i < 4; ++i) out += cat(" ", size_class(sizes[i]));
    for (const std::uint32_t alignment : alignments) out += cat(" ", alignment);
    for (const int kind : kinds) out += cat(" ", kind);
    return out;
  }

  std::array<std::int64_t, 11> sizes;
  std::array<std::uint32_t, 5> alignments;
  std::array<int, 7> kinds;
};

struct Blas::Plan {
  explicit Plan(const Product& p) : product(p) {}

  LtProduct product;
  cublasLtMatmulAlgo_t algorithm{};
  bool able = false;
  float raced_ms = 0;
};

Blas::Blas(cudaStream_t stream, Choices* choices)
    : stream_(stream), choices_(choices), library_(std::make_unique<Library>()) {}

Blas::~Blas() = default;

void Blas::race_algorithms(Plan& plan, const Product& p) {
  const std::vector<cublasLtMatmulAlgo_t> ways = plan.product.suggestions(library_->handle, p, racers);
  Product trial = p;
  std::unique_ptr<OwnedMemory> copy;
  if (p.beta != 0) {  // c must not be added to again and again
    copy = std::make_unique<OwnedMemory>(extent_of_c(p));
    if (copy->data() == nullptr) return;
    trial.c = copy->data();
  }
  const Workspace::Scope scope(workspace_);
  void* const scratch = workspace_.take(product_scratch_bytes);
  const auto winner = race(stream_, static_cast<int>(ways.size()), [&](int way) {
    return plan.product.run(library_->handle, trial, ways[static_cast<std::size_t>(way)], scratch, stream_) ==
           CUBLAS_STATUS_SUCCESS;
  });
  if (!winner) return;
  plan.algorithm = ways[static_cast<std::size_t>(winner->way)];
  plan.raced_ms = winner->ms;
  plan.able = true;
  choices_->keep(Key(p).text(), text_of(plan.algorithm, plan.raced_ms));
}

void Blas::choose(Plan& plan, const Product& p) {
  const double flops = 2.0 * static_cast<double>(p.batches) * static_cast<double>(p.rows) *
                       static_cast<double>(p.cols) * static_cast<double>(p.inner);
  if (choices_ != nullptr && choices_->worth_a_race(flops, flops_worth_a_race)) {
    const std::optional<std::string> known = choices_->find(Key(p).text());
    plan.able = known && read_choice(*known, plan.algorithm, plan.raced_ms) &&
                plan.product.suits(library_->handle, plan.algorithm);
    if (!plan.able) race_algorithms(plan, p);
    if (plan.able) return;
  }
  const std::vector<cublasLtMatmulAlgo_t> first = plan.product.suggestions(library_->handle, p, 1);
  plan.able = !first.empty();
  if (plan.able) plan.algorithm = first.front();
}

Blas::Plan& Blas::plan_of(const Product& p) {
  std::unique_ptr<Plan>& slot = plans_[Key(p)];
  if (slot) return *slot;
  auto plan = std::make_unique<Plan>(p);
  choose(*plan, p);
  slot = std::move(plan);
  return *slot;
}

float Blas::raced_ms(const Product& p) {
  const Plan& plan = plan_of(p);
  return plan.able ? plan.raced_ms : std::numeric_limits<float>::infinity();
}

void Blas::run(const Product& p) {
  if (p.rows == 0 || p.cols == 0) return;
  Plan& plan = plan_of(p);
  if (!plan.able) {
    throw InternalError(cat("[matmul] cuBLASLt has no algorithm for [", p.rows, ", ", p.inner, "] x [",
                            p.inner, ", ", p.cols, "] of ", name_of(p.storage), " into ", name_of(p.result),
                            ", strides ", p.a.stride, ", ", p.b.stride, ", ", p.c_stride));
  }
  const Workspace::Scope scope(workspace_);
  check_status(
      plan.product.run(library_->handle, p, plan.algorithm, workspace_.take(product_scratch_bytes), stream_),
      "matmul");
}

}  // namespace wan::cuda

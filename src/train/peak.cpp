#include "train/peak.hpp"

#include <algorithm>
#include <chrono>

#include "base/philox.hpp"
#include "comm/agree.hpp"
#include "device/ops.hpp"

namespace wan {
namespace {

/// Long enough that starting it counts for little, on a core as on a GPU.
constexpr double long_enough_s = 5e-3;
constexpr std::int64_t smallest = 128;
constexpr std::int64_t largest = 16384;
constexpr int repetitions = 3;

/// Y = X W^T of n x n each.
class Product {
 public:
  Product(Device& device, DType storage, std::int64_t n) : device_(device) {
    for (DeviceTensor* tensor : {&x_, &w_, &y_}) *tensor = DeviceTensor(device, storage, {n, n});
    FillNormal normals;
    normals.keys = {random_key(0, 0, 0, Purpose::mock_latent)};
    normals.offset = {0, n * n};
    DeviceTensor values(device, DType::f32, {n, n});
    normals.out = {values.view.data, DType::f32, {n * n}};
    device.ops().fill_normal(normals);
    for (DeviceTensor* tensor : {&x_, &w_}) device.ops().cast({values.view, tensor->view});
    device.synchronize();
  }

  [[nodiscard]] double seconds() {
    const auto begin = std::chrono::steady_clock::now();
    LinearForward product;
    product.x = x_.view;
    product.w = w_.view;
    product.y = y_.view;
    device_.ops().linear_forward(product);
    device_.synchronize();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

 private:
  Device& device_;
  DeviceTensor x_;
  DeviceTensor w_;
  DeviceTensor y_;
};

}  // namespace

double measured_peak(Device& device, DType storage, const Communicator& world) {
  std::int64_t n = smallest;
  // The first call of a size also builds what its library plans.
  for (; n < largest; n *= 2) {
    Product trial(device, storage, n);
    (void)trial.seconds();
    if (trial.seconds() >= long_enough_s) break;
  }
  Product product(device, storage, n);
  world.barrier();
  double best = product.seconds();
  for (int i = 1; i < repetitions; ++i) best = std::min(best, product.seconds());
  const auto side = static_cast<double>(n);
  return sum_over(world, 2 * side * side * side / best) / world.size();
}

}  // namespace wan

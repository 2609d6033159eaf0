#include "train/flops.hpp"

namespace wan {

double training_flops(const DitConfig& config, const std::vector<std::int64_t>& tokens) {
  const auto h = static_cast<double>(config.dim());
  const auto f = static_cast<double>(config.ffn_dim);
  const auto k = static_cast<double>(DitConfig::text_slots);
  const auto text = static_cast<double>(config.text_dim);
  const auto in = static_cast<double>(4 * config.in_channels);
  const auto out = static_cast<double>(4 * config.out_channels);
  double forward = 0;
  for (const std::int64_t count : tokens) {
    const auto q = static_cast<double>(count);
    const double self_attention = 8 * q * h * h + 4 * q * q * h;
    const double cross_attention = 4 * q * h * h + 4 * k * h * h + 4 * q * k * h;
    const double layer = self_attention + cross_attention + 4 * q * h * f;
    forward += static_cast<double>(config.num_layers) * layer;
    forward += 2 * q * in * h + 2 * k * (text * h + h * h) + 2 * q * h * out;
  }
  return 3 * forward;
}

}  // namespace wan

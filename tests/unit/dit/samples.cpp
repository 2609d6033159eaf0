#include "unit/dit/samples.hpp"

#include "support/tensors.hpp"

namespace wan::test {

DitConfig small_config() {
  DitConfig config;
  config.num_attention_heads = 2;
  config.attention_head_dim = 24;
  config.num_layers = 2;
  config.ffn_dim = 96;
  config.in_channels = 4;
  config.out_channels = 4;
  config.text_dim = 16;
  return config;
}

DitSample random_sample(const DitConfig& config, const Grid& grid, float timestep, std::int64_t text_length,
                        std::uint64_t seed) {
  return {grid, timestep, normals(seed, grid.tokens() * 4 * config.in_channels), text_length,
          normals(seed + 1, text_length * config.text_dim)};
}

std::vector<float> random_target(const DitConfig& config, const std::vector<DitSample>& samples,
                                 std::uint64_t seed) {
  std::int64_t tokens = 0;
  for (const DitSample& sample : samples) tokens += sample.grid.tokens();
  return normals(seed, tokens * 4 * config.out_channels);
}

}  // namespace wan::test

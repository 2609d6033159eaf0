#include "data/host_pack.hpp"

namespace wan {

std::int64_t HostPack::tokens() const {
  std::int64_t total = 0;
  for (const HostSample& sample : samples) total += sample.latent.tokens();
  return total;
}

HostPack read_pack(const SampleSource& source, const PackPlan& plan, std::int64_t visit) {
  HostPack pack;
  pack.text_width = source.text_width();
  std::int64_t latents = 0;
  std::int64_t text = 0;
  for (const std::int64_t index : plan) {
    const SampleInfo info = source.info(index);
    pack.samples.push_back({info.id, visit, info.latent, info.text_rows});
    latents += info.latent.elements();
    text += info.text_rows * pack.text_width;
  }
  pack.latents.resize(static_cast<std::size_t>(latents));
  pack.text.resize(static_cast<std::size_t>(text));
  float* next_latent = pack.latents.data();
  float* next_text = pack.text.data();
  for (std::size_t i = 0; i < plan.size(); ++i) {
    source.read(plan[i], next_latent, next_text);
    next_latent += pack.samples[i].latent.elements();
    next_text += pack.samples[i].text_rows * pack.text_width;
  }
  return pack;
}

}  // namespace wan

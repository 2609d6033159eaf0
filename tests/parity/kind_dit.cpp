#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/text.hpp"
#include "parity/kinds.hpp"
#include "support/dit_harness.hpp"
#include "weights/dit_weight_names.hpp"
#include "weights/safetensors.hpp"

namespace wan::parity {
namespace {

/// The batch of io.safetensors as samples: latent [B, C, f, 2 rows, 2 columns], context [B, 512, text_dim].
std::vector<test::DitSample> read_samples(const Case& which, const SafetensorsFile& io,
                                          const DitConfig& config) {
  const Shape& shape = io.at("latent").shape;
  const Shape& context_shape = io.at("context").shape;
  const Json::Array& lengths = which.description.at("text_lengths").as_array();
  const std::int64_t batch = shape[0];
  if (shape.rank() != 5 || shape[1] != config.in_channels || shape[3] % 2 != 0 || shape[4] % 2 != 0 ||
      context_shape != Shape({batch, DitConfig::text_slots, config.text_dim}) ||
      io.at("timestep").shape != Shape({batch}) || static_cast<std::int64_t>(lengths.size()) != batch) {
    throw DataError(io.path(), cat("latent ", shape.text(), " and context ", context_shape.text(), " with ",
                                   lengths.size(), " text_lengths do not fit the configuration"));
  }
  const std::vector<float> latent = io.floats("latent");
  const std::vector<float> context = io.floats("context");
  const std::vector<float> timestep = io.floats("timestep");
  std::vector<test::DitSample> samples;
  for (std::int64_t s = 0; s < batch; ++s) {
    test::DitSample sample;
    sample.grid = {shape[2], shape[3] / 2, shape[4] / 2};
    sample.timestep = timestep[static_cast<std::size_t>(s)];
    sample.text_length = lengths[static_cast<std::size_t>(s)].as_integer();
    const auto size = static_cast<std::int64_t>(latent.size()) / batch;
    sample.latent.assign(latent.begin() + s * size, latent.begin() + (s + 1) * size);
    const auto text = context.begin() + s * DitConfig::text_slots * config.text_dim;
    if (sample.text_length < 0 || sample.text_length > DitConfig::text_slots) {
      throw DataError(which.file("case.json"),
                      cat("text_lengths holds ", sample.text_length, "; allowed: 0 to 512"));
    }
    sample.text.assign(text, text + sample.text_length * config.text_dim);
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace

void run_dit(const Case& which, Report& report) {
  const DitConfig config = DitConfig::from_json(which.description.at("config"), which.file("case.json"));
  const WeightSet weights = WeightSet::open_file(which.file("weights.safetensors"));
  const SafetensorsFile io(which.file("io.safetensors"));
  test::DitHarness harness(which.device, config, which.storage());
  harness.load(weight_source(weights, dit_weight_names(config)));

  const std::vector<test::DitSample> samples = read_samples(which, io, config);
  const std::vector<float> target = io.floats("target");
  const std::vector<float> output = io.floats("output");
  const test::DitHarness::Result result =
      harness.train(samples, target, 1.0 / static_cast<double>(target.size()));
  if (result.prediction.size() != output.size() || target.size() != output.size()) {
    throw DataError(io.path(), cat("output has ", output.size(), " elements, the model gives ",
                                   result.prediction.size()));
  }
  report.compare(which, "output", Quantity::forward, result.prediction.data(), output.data(),
                 static_cast<std::int64_t>(output.size()));

  double loss = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    loss += std::pow(static_cast<double>(result.prediction[i]) - static_cast<double>(target[i]), 2);
  }
  const float mean = static_cast<float>(loss / static_cast<double>(target.size()));
  report.compare(which, "loss", Quantity::forward, &mean, io.floats("loss").data(), 1);

  for (const auto& [name, gradient] : result.gradient) {
    const std::vector<float> expected = io.floats("grad." + name);
    if (expected.size() != gradient.size()) {
      throw DataError(io.path(),
                      cat("grad.", name, " has ", expected.size(), " elements, allowed: ", gradient.size()));
    }
    report.compare(which, "grad." + name, Quantity::gradient, gradient.data(), expected.data(),
                   static_cast<std::int64_t>(gradient.size()));
  }
}

}  // namespace wan::parity

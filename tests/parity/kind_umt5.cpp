#include "base/error.hpp"
#include "base/text.hpp"
#include "model/text/umt5_encoder.hpp"
#include "parity/kinds.hpp"
#include "support/tensors.hpp"
#include "weights/safetensors.hpp"
#include "weights/umt5_weight_names.hpp"
#include "weights/weight_names.hpp"

namespace wan::parity {

void run_umt5(const Case& which, Report& report) {
  const Umt5Config config = Umt5Config::from_json(which.description.at("config"), which.file("case.json"));
  const WeightSet weights = WeightSet::open_file(which.file("weights.safetensors"));
  const SafetensorsFile io(which.file("io.safetensors"));
  Umt5Encoder encoder(which.device, config, weight_source(weights, umt5_weight_names(config)),
                      which.storage());

  const Json::Array& lengths = which.description.at("lengths").as_array();
  const Shape shape = io.at("ids").shape;
  const std::vector<std::int64_t> ids = io.integers("ids");
  std::vector<float> expected = io.floats("hidden");
  if (shape.rank() != 2 || static_cast<std::int64_t>(lengths.size()) != shape[0] ||
      io.at("hidden").shape != Shape({shape[0], shape[1], config.d_model})) {
    throw DataError(io.path(), cat("ids ", shape.text(), ", hidden ", io.at("hidden").shape.text(), " and ",
                                   lengths.size(), " lengths do not fit each other"));
  }
  std::vector<std::vector<std::int32_t>> prompts;
  for (std::int64_t prompt = 0; prompt < shape[0]; ++prompt) {
    const std::int64_t length = lengths[static_cast<std::size_t>(prompt)].as_integer();
    if (length < 0 || length > shape[1]) {
      throw DataError(which.file("case.json"), cat("lengths holds ", length, ", allowed: 0 to ", shape[1]));
    }
    const auto begin = ids.begin() + prompt * shape[1];
    std::vector<std::int32_t>& one = prompts.emplace_back();
    for (auto id = begin; id != begin + length; ++id) one.push_back(static_cast<std::int32_t>(*id));
  }

  // Padding, which is not computed, is zero in the truth.
  const std::vector<float> packed = test::values_of(which.device, encoder.encode(prompts));
  std::vector<float> hidden(expected.size());
  auto from = packed.begin();
  for (std::size_t prompt = 0; prompt < prompts.size(); ++prompt) {
    const auto count = static_cast<std::int64_t>(prompts[prompt].size()) * config.d_model;
    std::copy_n(from, count, hidden.begin() + static_cast<std::int64_t>(prompt) * shape[1] * config.d_model);
    from += count;
  }
  report.compare(which, "hidden", Quantity::forward, hidden.data(), expected.data(),
                 static_cast<std::int64_t>(hidden.size()));
}

}  // namespace wan::parity

#include "weights/model_parts.hpp"

#include <memory>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"
#include "model/storage.hpp"
#include "weights/model_folder.hpp"
#include "weights/random_weights.hpp"
#include "weights/umt5_weight_names.hpp"
#include "weights/vae_weight_names.hpp"
#include "weights/weight_set.hpp"

namespace wan {
namespace {

Json config_of(const std::string& component) {
  return Json::parse_file(component + "/config.json");
}

}  // namespace

Hash128 shared_component_hash(const Communicator& world, const std::string& component,
                              std::optional<std::uint64_t> random_seed) {
  if (random_seed)
    return bytes_hash(cat("random weights ", *random_seed, " of ", config_of(component).dump()));
  Hash128 mine;
  do_together(world, [&] {
    mine = component_hash(WeightSet::open_component(component), world.rank(), world.size());
  });
  Hash128 sum;
  for (const std::string& part : gather_texts(world, to_hex(mine))) sum += hash_from_hex(part, component);
  return sum;
}

Parameters::Source component_weights(const std::string& component, const std::vector<WeightName>& names,
                                     std::optional<std::uint64_t> random_seed) {
  if (random_seed) return random_weights(*random_seed);
  const auto weights = std::make_shared<const WeightSet>(WeightSet::open_component(component));
  return [weights, source = weight_source(*weights, names)](const ParameterSpec& spec, float* to) {
    source(spec, to);
  };
}

ModelParts read_model_parts(const Communicator& world, const std::string& model,
                            const PartsWeights& weights) {
  if (weights.random_seed && world.rank() == 0)
    log::warn("weights are random: only speed and memory mean something");
  std::optional<ModelParts> parts;
  do_together(world, [&] {
    const std::string folder = find_model_folder(model);
    const std::string vae = folder + "/vae";
    const std::string text = folder + "/text_encoder";
    parts.emplace(ModelParts{folder,
                             VaeConfig::from_json(config_of(vae), vae + "/config.json"),
                             Umt5Config::from_json(config_of(text), text + "/config.json"),
                             Tokenizer::from_model_folder(folder),
                             weights,
                             {},
                             {},
                             file_hash(folder + "/tokenizer/spiece.model")});
  });
  if (!weights.hashed) return std::move(*parts);
  parts->vae_hash = shared_component_hash(world, parts->folder + "/vae", weights.random_seed);
  parts->text_encoder_hash =
      shared_component_hash(world, parts->folder + "/text_encoder", weights.random_seed);
  return std::move(*parts);
}

Vae load_vae(Device& device, const ModelParts& model, VaeParts parts) {
  return {device, model.vae,
          component_weights(model.folder + "/vae", vae_weight_names(model.vae), model.weights.random_seed),
          storage_dtype(storage_on(device.kind(), model.weights.storage)), parts};
}

Umt5Encoder load_text_encoder(Device& device, const ModelParts& model) {
  return {device, model.text_encoder,
          component_weights(model.folder + "/text_encoder", umt5_weight_names(model.text_encoder),
                            model.weights.random_seed),
          storage_dtype(storage_on(device.kind(), model.weights.storage))};
}

}  // namespace wan

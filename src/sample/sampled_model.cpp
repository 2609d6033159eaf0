#include "sample/sampled_model.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/chosen_weights.hpp"
#include "config/train_config_io.hpp"
#include "model/dit/run_config.hpp"
#include "weights/dit_weight_names.hpp"
#include "weights/model_folder.hpp"
#include "weights/model_origin.hpp"

namespace wan {
namespace {

using checkpoint::Checkpoint;

/// One number for all tensors of a checkpoint's folder, from the hashes that its manifest holds.
Hash128 hash_of_folder(const Checkpoint& from, const std::string& folder) {
  Hash128 sum;
  for (const checkpoint::StoredTensor& tensor : from.manifest().tensors) {
    if (tensor.path.rfind(folder, 0) != 0) continue;
    sum += bytes_hash(cat(tensor.path.substr(folder.size()), '\n', name_of(tensor.dtype), '\n',
                          tensor.shape.text(), '\n', to_hex(tensor.hash)));
  }
  return sum;
}

SampledModel from_checkpoint(Runtime& runtime, const SampleOptions& options) {
  const std::string& run = *options.checkpoint_dir;
  std::optional<Checkpoint> opened =
      checkpoint::open_newest(runtime.world(), run, {options.checkpoint_step.value_or(-1), false});
  if (!opened) {
    throw NoInputError(
        run, std::filesystem::is_directory(run) ? "holds no checkpoint" : "there is no such folder");
  }
  const auto from = std::make_shared<const Checkpoint>(std::move(*opened));
  const Json* origin = from->state().find("origin");
  if (origin != nullptr && !origin->is_object()) origin = nullptr;

  const std::string folder = checkpoint::weight_folder(*from, options.weights);
  if (!options.model && origin == nullptr) {
    throw UsageError(cat(run, " names no VAE (mock data, or official weights); give --model"));
  }
  const std::string model = options.model ? *options.model : origin->at("model").as_string();
  SampledModel out{
      dit_config(read_train_config(from->folder() + "/config.yaml").model),
      [from, folder](const ParameterSpec& spec, float* to) {
        from->read(folder + spec.name, ShardSpec::whole(spec.shape), DType::f32, to);
      },
      {from->folder(), from->step(), folder == checkpoint::averaged_folder, hash_of_folder(*from, folder)},
      std::nullopt,
      read_model_parts(runtime.world(), model, {std::nullopt, options.encoder_dtype, !options.dry_run})};
  if (origin == nullptr) return out;
  if (const Json* height = origin->find("height")) {
    out.trained_size = FrameSize{height->as_integer(), origin->at("width").as_integer()};
  }
  if (!options.dry_run) require_recorded(*origin, out.parts, model);
  return out;
}

SampledModel from_model_folder(Runtime& runtime, const SampleOptions& options) {
  const std::optional<std::uint64_t> seed = seed_of(options.random_weights);
  ModelParts parts =
      read_model_parts(runtime.world(), *options.model, {seed, options.encoder_dtype, !options.dry_run});
  const std::string folder = parts.folder + "/transformer";
  SampledModel out{{}, {}, {folder, std::nullopt, false, {}}, std::nullopt, std::move(parts)};
  do_together(runtime.world(), [&] {
    const std::string file = folder + "/config.json";
    out.config = DitConfig::from_json(Json::parse_file(file), file);
    if (!options.dry_run) out.weights = component_weights(folder, dit_weight_names(out.config), seed);
  });
  if (options.dry_run) return out;
  out.origin.hash = shared_component_hash(runtime.world(), folder, seed);
  return out;
}

}  // namespace

SampledModel open_sampled_model(Runtime& runtime, const SampleOptions& options) {
  return options.checkpoint_dir ? from_checkpoint(runtime, options) : from_model_folder(runtime, options);
}

}  // namespace wan

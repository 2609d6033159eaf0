#include <filesystem>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "checkpoint/chosen_weights.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/save.hpp"
#include "config/train_config_io.hpp"
#include "convert/targets.hpp"
#include "model/dit/run_config.hpp"
#include "weights/model_folder.hpp"
#include "weights/model_origin.hpp"

namespace wan {
namespace fs = std::filesystem;

namespace {

/// A checkpoint holds fp32 and bf16.
std::vector<StreamedTensor> storable(std::vector<StreamedTensor> weights, const std::string& path) {
  for (StreamedTensor& tensor : weights) {
    if (tensor.dtype == DType::f16) tensor = stored_as(tensor, DType::f32, path);
  }
  return weights;
}

std::string run_config_of(const ConvertSource& source, const std::string& run, bool rounded) {
  if (!source.run_config.empty()) return source.run_config;
  TrainConfig config;
  config.model = model_group(source.config, source.path);
  config.model.params_dtype = rounded ? ModelStorage::bf16 : ModelStorage::fp32;
  config.checkpoint.save = run;
  return dump_yaml(config);
}

bool has_parts(const std::string& model) {
  for (const char* part : {"vae", "text_encoder", "tokenizer"}) {
    if (!fs::is_directory(cat(model, "/", part))) return false;
  }
  return true;
}

/// Where VAE, text encoder and tokenizer are, found by whoever starts a run anywhere on this machine; null if
/// nothing says so.
Json origin_for(const ConvertSource& source, bool model_named) {
  if (source.format != ModelFormat::diffusers && !model_named) return source.origin;
  const std::string model = find_model_folder(source.model);
  if (!model_named && !has_parts(model)) {
    log::warn(cat(model, " is a transformer alone: the checkpoint names no VAE, give --model to wan-sample"));
    return {};
  }
  const ModelParts parts = read_model_parts(Communicator(), fs::canonical(model));
  Json origin = source.origin;
  if (origin.is_object()) require_recorded(origin, parts, model);
  const Json found = origin_of(parts);
  for (const auto& [key, value] : found.as_object()) origin.set(key, value);
  return origin;
}

/// Tensors as parts of some 8 MiB, read when they are written.
std::vector<checkpoint::SnapshotPart> parts_of(const std::vector<StreamedTensor>& weights) {
  std::vector<checkpoint::SnapshotPart> out;
  for (const StreamedTensor& tensor : weights) {
    const ShardSpec whole = ShardSpec::whole(tensor.shape);
    in_blocks(tensor, [&](std::int64_t first, std::int64_t count) {
      checkpoint::SnapshotPart part;
      part.path = checkpoint::trained_folder + tensor.name;
      part.dtype = tensor.dtype;
      part.part = whole.flat_range(first, first + count);
      part.fill = [read = tensor.read, first, count](void* to) { read(first, count, to); };
      out.push_back(std::move(part));
    });
  }
  return out;
}

}  // namespace

Conversion to_checkpoint(const ConvertSource& source, const ConvertOptions& options) {
  const std::vector<StreamedTensor> weights =
      storable(wanted_weights(source, options.dtype), source.weights_path);
  bool rounded = false;
  for (const StreamedTensor& tensor : weights) rounded = rounded || tensor.dtype == DType::bf16;
  Conversion out;
  out.bytes = bytes_of_all(weights);
  out.what = cat("checkpoint ", checkpoint::iteration_name(0), " of ", amount_text(weights));
  out.write = [source, weights, model_named = options.model.has_value(),
               config = run_config_of(source, options.to, rounded)](const std::string& folder) {
    checkpoint::Snapshot snapshot;
    snapshot.state.set("converted", Json::Object{{"from", source.path}, {"what", source.what}});
    Json origin = origin_for(source, model_named);
    if (origin.is_object()) snapshot.state.set("origin", std::move(origin));
    snapshot.config = config;
    snapshot.refuse_not_finite = false;
    snapshot.parts = parts_of(weights);
    const Outcome outcome = checkpoint::save(Communicator(), folder, snapshot);
    if (!outcome.good()) throw Error(outcome.code, outcome.message);
  };
  return out;
}

}  // namespace wan

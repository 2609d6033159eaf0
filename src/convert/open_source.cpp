#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/chosen_weights.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/open_place.hpp"
#include "config/train_config_io.hpp"
#include "convert/model_json.hpp"
#include "convert/source.hpp"
#include "model/dit/run_config.hpp"
#include "model/dit/weights.hpp"
#include "weights/dit_weight_names.hpp"
#include "weights/model_folder.hpp"
#include "weights/weight_set.hpp"

namespace wan {
namespace fs = std::filesystem;

namespace {

using checkpoint::Checkpoint;

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::shared_ptr<const WeightSet> open_weights(const std::string& folder) {
  return std::make_shared<const WeightSet>(WeightSet::open_component(folder));
}

ConvertSource from_model_folder(const std::string& folder) {
  if (exists(folder + "/transformer_2")) {
    throw DataError(folder, "has a transformer_2: two experts (Wan 2.2), allowed: one transformer (Wan 2.1)");
  }
  const std::string transformer = folder + "/transformer";
  const std::string file = transformer + "/config.json";
  ConvertSource out;
  out.format = ModelFormat::diffusers;
  out.path = folder;
  out.what = "model folder of diffusers";
  out.config = DitConfig::from_json(Json::parse_file(file), file);
  StreamedComponent weights = matched(streamed(open_weights(transformer)), dit_weight_names(out.config));
  out.weights_path = weights.path;
  out.transformer = std::move(weights.tensors);
  out.model = folder;
  return out;
}

ConvertSource from_official_folder(const std::string& folder) {
  const std::string file = folder + "/config.json";
  const StreamedComponent stored = streamed(open_weights(folder));
  ConvertSource out;
  out.format = ModelFormat::official;
  out.path = folder;
  out.what = "folder of an official Wan 2.1 repository";
  out.config = official_dit_config(Json::parse_file(file), file, stored);
  StreamedComponent weights = matched(stored, dit_weight_names(out.config));
  out.weights_path = weights.path;
  out.transformer = std::move(weights.tensors);
  return out;
}

/// The checkpoint of `options.from`; its optimizer's file is looked into only if masters are read from it.
Checkpoint open_checkpoint(const ConvertOptions& options) {
  const checkpoint::Wanted wanted{options.step.value_or(-1), false};
  std::optional<Checkpoint> found = checkpoint::open_place(Communicator(), options.from, wanted);
  if (!found) throw NoInputError(options.from, "holds no checkpoint");
  const bool raw = checkpoint::weight_folder(*found, options.weights) == checkpoint::trained_folder;
  bool masters = false;
  for (const checkpoint::StoredTensor& tensor : found->manifest().tensors) {
    masters = masters || tensor.path.rfind(checkpoint::master_folder, 0) == 0;
  }
  if (!raw || !masters) return std::move(*found);
  return checkpoint::open_iteration(Communicator(), found->folder(), {found->step(), true});
}

StreamedTensor stored_weight(const std::shared_ptr<const Checkpoint>& from,
                             const checkpoint::StoredTensor& stored, const std::string& name) {
  return {name, stored.dtype, stored.shape,
          [from, path = stored.path, dtype = stored.dtype, shape = stored.shape](
              std::int64_t first, std::int64_t count, void* to) {
            from->read(path, ShardSpec::whole(shape).flat_range(first, first + count), dtype, to);
          }};
}

/// What the folder holds; where there is a master it stands in for the rounded weight.
StreamedComponent weights_in(const std::shared_ptr<const Checkpoint>& from, const std::string& folder) {
  StreamedComponent out{from->folder(), {}};
  for (const checkpoint::StoredTensor& tensor : from->manifest().tensors) {
    if (tensor.path.rfind(folder, 0) != 0) continue;
    const std::string name = tensor.path.substr(folder.size());
    const checkpoint::StoredTensor* master = nullptr;
    if (folder == checkpoint::trained_folder) master = from->find(checkpoint::master_folder + name);
    out.tensors.push_back(stored_weight(from, master == nullptr ? tensor : *master, name));
  }
  return out;
}

ConvertSource from_checkpoint(const ConvertOptions& options) {
  const auto from = std::make_shared<const Checkpoint>(open_checkpoint(options));
  const std::string folder = checkpoint::weight_folder(*from, options.weights);
  ConvertSource out;
  out.format = ModelFormat::checkpoint;
  out.path = from->folder();
  out.what = cat("checkpoint of step ", from->step(), ", ",
                 folder == checkpoint::averaged_folder ? "averaged" : "raw", " weights");
  out.config = dit_config(read_train_config(from->folder() + "/" + checkpoint::config_name).model);
  StreamedComponent weights = matched(weights_in(from, folder), dit_weight_names(out.config));
  out.weights_path = weights.path;
  out.transformer = std::move(weights.tensors);
  const Json* origin = from->state().find("origin");
  if (origin != nullptr && origin->is_object()) out.origin = *origin;
  if (const Json* model = out.origin.find("model")) out.model = model->as_string();
  out.run_config = from->config();
  return out;
}

bool is_checkpoint(const std::string& from) {
  const fs::path path = fs::path(from + "/").lexically_normal().parent_path();
  return checkpoint::step_of(path.filename()).has_value() || !checkpoint::iterations_in(from).empty();
}

void refuse_stray_flags(const ConvertOptions& options, const ConvertSource& source) {
  const char* flag = nullptr;
  if (source.format != ModelFormat::checkpoint) {
    if (options.step) flag = "--step";
    if (options.weights != WeightChoice::automatic) flag = "--weights";
  }
  if (options.model && source.format == ModelFormat::diffusers) flag = "--model";
  if (flag == nullptr) return;
  throw UsageError(cat(flag, ": ", source.path, " is a ", source.what, ", allowed with a run folder",
                       options.model ? " or an official one" : ""));
}

ConvertSource from_folder(const std::string& folder) {
  if (exists(folder + "/transformer/config.json")) return from_model_folder(folder);
  const bool weights = exists(folder + "/diffusion_pytorch_model.safetensors") ||
                       exists(folder + "/diffusion_pytorch_model.safetensors.index.json");
  if (weights && exists(folder + "/config.json")) return from_official_folder(folder);
  throw NoInputError(
      folder,
      "holds no model; looked for transformer/config.json (diffusers), config.json with "
      "diffusion_pytorch_model.safetensors or its index (official), iter_0000000 (a run folder)");
}

}  // namespace

ConvertSource open_source(const ConvertOptions& options) {
  ConvertSource out;
  if (is_checkpoint(options.from)) {
    out = from_checkpoint(options);
  } else {
    out = from_folder(find_model_folder(options.from));
  }
  refuse_stray_flags(options, out);
  if (options.model) out.model = *options.model;
  // Refuses what is stored as anything else.
  for (const StreamedTensor& tensor : out.transformer) (void)stored_as(tensor, DType::f32, out.weights_path);
  return out;
}

std::vector<StreamedTensor> wanted_weights(const ConvertSource& source, ConvertStorage storage) {
  if (storage == ConvertStorage::keep) return source.transformer;
  std::set<std::string> rounded;
  DitGroups groups;
  const Parameters declared = declare_dit(source.config, DType::bf16, {}, groups);
  for (const ParameterUnit& unit : declared.units()) {
    for (const Parameter& parameter : unit.parameters()) {
      if (!parameter.spec.keep_fp32 && storage == ConvertStorage::bf16) rounded.insert(parameter.spec.name);
    }
  }
  std::vector<StreamedTensor> out;
  for (const StreamedTensor& tensor : source.transformer) {
    out.push_back(
        stored_as(tensor, rounded.count(tensor.name) == 0 ? DType::f32 : DType::bf16, source.weights_path));
  }
  return out;
}

std::int64_t bytes_of_all(const std::vector<StreamedTensor>& tensors) {
  std::int64_t bytes = 0;
  for (const StreamedTensor& tensor : tensors) bytes += tensor.bytes();
  return bytes;
}

std::string amount_text(const std::vector<StreamedTensor>& tensors) {
  std::set<std::string> dtypes;
  for (const StreamedTensor& tensor : tensors) dtypes.insert(name_of(tensor.dtype));
  return cat(tensors.size(), " tensors, ", human_bytes(static_cast<double>(bytes_of_all(tensors))), ", ",
             join({dtypes.begin(), dtypes.end()}, " and "));
}

}  // namespace wan

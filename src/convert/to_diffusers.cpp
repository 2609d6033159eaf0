#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "comm/communicator.hpp"
#include "convert/model_json.hpp"
#include "convert/official_parts.hpp"
#include "convert/part_files.hpp"
#include "convert/targets.hpp"
#include "weights/model_folder.hpp"
#include "weights/model_origin.hpp"
#include "weights/weight_files.hpp"

namespace wan {
namespace fs = std::filesystem;

namespace {

constexpr const char* diffusers_stem = "diffusion_pytorch_model";
constexpr const char* transformers_stem = "model";

void write_json(const std::string& path, const Json& json) {
  write_file_atomically(path, json.dump(2) + "\n");
}

std::string tokenizer_class(const std::string& folder) {
  return fs::exists(folder + "/tokenizer.json") ? "T5TokenizerFast" : "T5Tokenizer";
}

/// The folder whose parts a checkpoint's or model folder's transformer goes with.
std::string folder_of_parts(const ConvertSource& source) {
  if (source.format == ModelFormat::diffusers) return source.model;
  if (source.model.empty()) {
    throw UsageError(cat(source.path, " names no VAE (mock data, or official weights); give --model"));
  }
  std::string folder = find_model_folder(source.model);
  if (source.origin.is_object())
    require_recorded(source.origin, read_model_parts(Communicator(), folder), folder);
  return folder;
}

void put_parts(const std::string& model, const std::string& folder) {
  for (const char* part : {"vae", "text_encoder", "tokenizer"}) {
    put_files(cat(model, "/", part), cat(folder, "/", part));
  }
  if (fs::is_directory(model + "/scheduler")) {
    put_files(model + "/scheduler", folder + "/scheduler");
  } else {
    make_folders(folder + "/scheduler");
    write_json(folder + "/scheduler/scheduler_config.json", scheduler_json());
  }
  if (fs::exists(model + "/model_index.json")) {
    put_file(model + "/model_index.json", folder + "/model_index.json");
  } else {
    write_json(folder + "/model_index.json", model_index_json(tokenizer_class(model + "/tokenizer")));
  }
}

void write_official_parts(const OfficialParts& parts, const std::string& folder, std::int64_t most_bytes) {
  make_folders(folder + "/vae");
  write_json(folder + "/vae/config.json", diffusers_json(parts.vae));
  write_weight_files(folder + "/vae", diffusers_stem, parts.vae_weights.tensors, most_bytes);
  make_folders(folder + "/text_encoder");
  const DType dtype = parts.text_encoder_weights.tensors.front().dtype;
  write_json(folder + "/text_encoder/config.json", transformers_json(parts.text_encoder, dtype));
  write_weight_files(folder + "/text_encoder", transformers_stem, parts.text_encoder_weights.tensors,
                     most_bytes);
  put_files(parts.tokenizer, folder + "/tokenizer");
  make_folders(folder + "/scheduler");
  write_json(folder + "/scheduler/scheduler_config.json", scheduler_json());
  write_json(folder + "/model_index.json", model_index_json(tokenizer_class(parts.tokenizer)));
}

}  // namespace

Conversion to_diffusers(const ConvertSource& source, const ConvertOptions& options) {
  const std::vector<StreamedTensor> weights = wanted_weights(source, options.dtype);
  const Json config = diffusers_json(source.config);
  const std::int64_t most_bytes = options.max_shard_bytes;
  Conversion out;
  out.bytes = bytes_of_all(weights);
  out.what = cat("model folder of diffusers, transformer of ", amount_text(weights));
  const auto write_transformer = [weights, config, most_bytes](const std::string& folder) {
    make_folders(folder + "/transformer");
    write_json(folder + "/transformer/config.json", config);
    write_weight_files(folder + "/transformer", diffusers_stem, weights, most_bytes);
  };
  if (source.format == ModelFormat::official && source.model.empty()) {
    const auto parts = std::make_shared<const OfficialParts>(open_official_parts(source.path));
    out.bytes += bytes_of_all(parts->vae_weights.tensors) + bytes_of_all(parts->text_encoder_weights.tensors);
    out.what += cat("; VAE of ", amount_text(parts->vae_weights.tensors), "; text encoder of ",
                    amount_text(parts->text_encoder_weights.tensors));
    out.write = [write_transformer, parts, most_bytes](const std::string& folder) {
      write_transformer(folder);
      write_official_parts(*parts, folder, most_bytes);
    };
    return out;
  }
  const std::string model = folder_of_parts(source);
  for (const char* part : {"vae", "text_encoder", "tokenizer"}) {
    if (!fs::is_directory(cat(model, "/", part))) throw NoInputError(model, cat("holds no ", part, "/"));
  }
  out.what += cat("; VAE, text encoder and tokenizer of ", model);
  out.write = [write_transformer, model](const std::string& folder) {
    write_transformer(folder);
    put_parts(model, folder);
  };
  return out;
}

}  // namespace wan

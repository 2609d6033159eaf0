#include <map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "convert/model_json.hpp"
#include "convert/targets.hpp"
#include "weights/dit_weight_names.hpp"
#include "weights/weight_files.hpp"

namespace wan {

Conversion to_official(const ConvertSource& source, const ConvertOptions& options) {
  if (options.model) throw UsageError("--model: the official layout is written without VAE and text encoder");
  std::vector<StreamedTensor> weights = wanted_weights(source, options.dtype);
  std::map<std::string, std::string> official;
  for (const WeightName& each : dit_weight_names(source.config)) official.emplace(each.name, each.official);
  for (StreamedTensor& tensor : weights) tensor.name = official.at(tensor.name);
  Conversion out;
  out.bytes = bytes_of_all(weights);
  out.what = cat("official Wan 2.1 layout, transformer of ", amount_text(weights),
                 "; without VAE and text encoder, which stay as they are");
  const std::string config = official_json(source.config).dump(2) + "\n";
  out.write = [weights, config, most_bytes = options.max_shard_bytes](const std::string& folder) {
    write_file_atomically(folder + "/config.json", config);
    write_weight_files(folder, "diffusion_pytorch_model", weights, most_bytes);
  };
  return out;
}

}  // namespace wan

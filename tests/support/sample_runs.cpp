#include "support/sample_runs.hpp"

#include <filesystem>

#include "base/hash.hpp"
#include "base/philox.hpp"
#include "weights/dit_weight_names.hpp"
#include "weights/safetensors.hpp"

namespace wan::test {
namespace fs = std::filesystem;

void make_model_folder(const std::string& folder) {
  fs::copy(std::string(WAN_SOURCE_DIR) + "/inputs/demo/model", folder, fs::copy_options::recursive);
  const std::string config = folder + "/transformer/config.json";
  const std::vector<WeightName> names =
      dit_weight_names(DitConfig::from_json(Json::parse_file(config), config));
  std::vector<std::vector<float>> values;
  std::vector<TensorToStore> tensors;
  for (const WeightName& weight : names) {
    std::vector<float>& value = values.emplace_back(static_cast<std::size_t>(weight.shape.elements()));
    fill_normal(random_key(1, values.size(), 0, Purpose::initialise), 0, weight.shape.elements(),
                value.data());
    // Large enough that every weight shows in the videos, small enough that they stay finite.
    for (float& x : value) x *= 0.05F;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    tensors.push_back({names[i].name, DType::f32, names[i].shape, values[i].data()});
  }
  write_safetensors(folder + "/transformer/diffusion_pytorch_model.safetensors", tensors);
}

std::vector<std::string> sample_command(int ranks, const std::string& model, const std::string& output,
                                        const std::vector<std::string>& flags) {
  std::vector<std::string> words{WAN_SAMPLE, "--model", model, "--output_dir", output, "--threads", "1"};
  words.insert(words.end(), flags.begin(), flags.end());
  return on_ranks(ranks, words);
}

std::map<std::string, std::string> bytes_in(const std::string& folder) {
  std::map<std::string, std::string> bytes;
  for (const auto& entry : fs::directory_iterator(folder)) {
    bytes[entry.path().filename().string()] = to_hex(file_hash(entry.path().string()));
  }
  return bytes;
}

}  // namespace wan::test

#include "weights/weight_files.hpp"

#include <cstdio>
#include <map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "weights/safetensors.hpp"

namespace wan {
namespace {

std::string shard_name(const std::string& stem, std::size_t number, std::size_t count) {
  char numbers[48];
  std::snprintf(numbers, sizeof numbers, "-%05zu-of-%05zu", number, count);
  return stem + numbers + ".safetensors";
}

void write_index(const std::string& path, const std::vector<StreamedTensor>& tensors,
                 const std::vector<WeightFile>& files) {
  std::int64_t bytes = 0;
  std::map<std::string, std::string> places;
  for (const WeightFile& file : files) {
    for (const std::size_t t : file.tensors) {
      bytes += tensors[t].bytes();
      places[tensors[t].name] = file.name;
    }
  }
  Json map = Json(Json::Object());
  for (const auto& [name, file] : places) map.set(name, file);
  Json index;
  index.set("metadata", Json::Object{{"total_size", bytes}});
  index.set("weight_map", std::move(map));
  write_file_atomically(path, index.dump(2) + "\n");
}

}  // namespace

std::vector<WeightFile> deal_to_files(const std::vector<StreamedTensor>& tensors, const std::string& stem,
                                      std::int64_t most_bytes) {
  std::vector<WeightFile> files(1);
  std::int64_t bytes = 0;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (!files.back().tensors.empty() && bytes + tensors[t].bytes() > most_bytes) {
      files.emplace_back();
      bytes = 0;
    }
    files.back().tensors.push_back(t);
    bytes += tensors[t].bytes();
  }
  for (std::size_t f = 0; f < files.size(); ++f) {
    files[f].name = files.size() == 1 ? stem + ".safetensors" : shard_name(stem, f + 1, files.size());
  }
  return files;
}

void write_weight_files(const std::string& folder, const std::string& stem,
                        const std::vector<StreamedTensor>& tensors, std::int64_t most_bytes) {
  const std::vector<WeightFile> files = deal_to_files(tensors, stem, most_bytes);
  for (const WeightFile& file : files) {
    std::vector<StreamedTensor> content;
    for (const std::size_t t : file.tensors) content.push_back(tensors[t]);
    // Readers of PyTorch weights ask for this mark.
    stream_safetensors(folder + "/" + file.name, content, {{"format", "pt"}});
    log::info(cat("wrote ", file.name, ", ", content.size(), " tensors"));
  }
  if (files.size() > 1) write_index(cat(folder, "/", stem, ".safetensors.index.json"), tensors, files);
}

}  // namespace wan

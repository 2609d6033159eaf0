#include "weights/weight_set.hpp"

#include <filesystem>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace wan {
namespace fs = std::filesystem;

namespace {

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// tensor name -> shard file, as the index says. A shard lies beside its index.
std::map<std::string, std::string> read_weight_map(const std::string& index) {
  std::map<std::string, std::string> out;
  try {
    const Json root = Json::parse_file(index);
    for (const auto& [name, file] : root.at("weight_map").as_object()) {
      const std::string& shard = file.as_string();
      if (shard.empty() || shard == ".." || shard.find('/') != std::string::npos) {
        throw Error(ExitCode::data,
                    cat("weight_map sends '", name, "' to '", shard, "': a plain file name is needed"));
      }
      out.emplace(name, shard);
    }
  } catch (const DataError&) {
    throw;
  } catch (const NoInputError&) {
    throw;
  } catch (const Error& error) {
    throw DataError(index, error.what());
  }
  return out;
}

}  // namespace

WeightSet WeightSet::open_component(const std::string& folder) {
  std::vector<std::string> tried;
  for (const char* stem : {"diffusion_pytorch_model", "model"}) {
    for (const char* suffix : {".safetensors", ".safetensors.index.json"}) {
      const std::string name = cat(stem, suffix);
      if (fs::exists(folder + "/" + name)) return open_file(folder + "/" + name);
      tried.push_back(name);
    }
  }
  throw NoInputError(folder, "holds no weights; looked for " + join(tried, ", "));
}

WeightSet WeightSet::open_file(const std::string& path) {
  WeightSet out(path);
  if (ends_with(path, ".json")) {
    out.add_shards(path);
  } else {
    out.add_file(path);
  }
  return out;
}

void WeightSet::add_file(const std::string& path) {
  files_.emplace_back(path);
  for (const StoredTensor& tensor : files_.back().tensors()) {
    const auto [at, added] = places_.emplace(tensor.name, Place{files_.size() - 1, &tensor});
    if (!added) {
      throw DataError(path, cat("tensor '", tensor.name, "' is also in ", files_[at->second.file].path()));
    }
  }
}

void WeightSet::add_shards(const std::string& index) {
  const std::map<std::string, std::string> map = read_weight_map(index);
  std::set<std::string> shards;
  for (const auto& [name, shard] : map) shards.insert(shard);
  const std::string folder = fs::path(index).parent_path().string();
  for (const std::string& shard : shards) add_file(folder.empty() ? shard : folder + "/" + shard);
  for (const auto& [name, shard] : map) {
    const auto at = places_.find(name);
    if (at == places_.end() || fs::path(files_[at->second.file].path()).filename() != shard) {
      throw DataError(index, cat("says that '", name, "' is in ", shard, ", but it is not"));
    }
  }
}

std::vector<std::string> WeightSet::names() const {
  std::vector<std::string> out;
  for (const auto& [name, place] : places_) out.push_back(name);
  return out;
}

const WeightSet::Place& WeightSet::place_of(const std::string& name) const {
  const auto at = places_.find(name);
  if (at == places_.end()) {
    throw DataError(path_, cat("has no tensor '", name, "'; the nearest of ", places_.size(), " is '",
                               nearest(name, names()), "'"));
  }
  return at->second;
}

const StoredTensor& WeightSet::at(const std::string& name) const {
  return *place_of(name).tensor;
}

void WeightSet::read(const std::string& name, const Shape& expected, float* out) const {
  const Place& place = place_of(name);
  const SafetensorsFile& file = files_[place.file];
  if (place.tensor->shape != expected) {
    throw DataError(file.path(), cat("tensor '", name, "' has shape ", place.tensor->shape.text(),
                                     ", the model's is ", expected.text()));
  }
  file.read_floats(*place.tensor, out);
}

void WeightSet::read_elements(const std::string& name, std::int64_t first, std::int64_t count,
                              void* out) const {
  const Place& place = place_of(name);
  files_[place.file].read_elements(*place.tensor, first, count, out);
}

Hash128 WeightSet::hash(const std::string& name) const {
  const Place& place = place_of(name);
  return files_[place.file].hash(*place.tensor);
}

StreamedComponent streamed(const std::shared_ptr<const WeightSet>& weights) {
  StreamedComponent out{weights->path(), {}};
  for (const std::string& name : weights->names()) {
    const StoredTensor& tensor = weights->at(name);
    out.tensors.push_back(
        {name, tensor.dtype, tensor.shape, [weights, name](std::int64_t first, std::int64_t count, void* to) {
           weights->read_elements(name, first, count, to);
         }});
  }
  return out;
}

Hash128 component_hash(const WeightSet& weights, std::int64_t part, std::int64_t parts) {
  Hash128 sum;
  std::int64_t number = 0;
  for (const std::string& name : weights.names()) {
    if (number++ % parts != part) continue;
    const StoredTensor& tensor = weights.at(name);
    sum += bytes_hash(cat(name, '\n', safetensors_name(tensor.dtype), '\n', tensor.shape.text(), '\n',
                          to_hex(weights.hash(name))));
  }
  return sum;
}

}  // namespace wan

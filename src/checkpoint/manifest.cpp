#include "checkpoint/manifest.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace wan::checkpoint {
namespace {

constexpr const char* hash_begin = ",\n\"hash\": \"";
constexpr const char* hash_end = "\"\n}\n";

Json to_json(const StoredTensor& tensor) {
  Json shape = Json(Json::Array{});
  for (int axis = 0; axis < tensor.shape.rank(); ++axis) shape.push(tensor.shape[axis]);
  Json ranges = Json(Json::Array{});
  for (const StoredRange& range : tensor.ranges) {
    Json slab;
    slab.set("file", range.file).set("dataset", range.dataset).set("offset", range.offset);
    slab.set("first", range.first).set("count", range.count);
    ranges.push(slab);
  }
  Json json;
  json.set("path", tensor.path).set("dtype", name_of(tensor.dtype)).set("shape", shape);
  json.set("hash", to_hex(tensor.hash)).set("slabs", ranges);
  return json;
}

/// Reads a manifest that somebody may have damaged or made up. Every rule broken is a DataError.
class Reader {
 public:
  explicit Reader(std::string source) : source_(std::move(source)) {}

  Manifest read(const Json& json) {
    Manifest manifest;
    const std::int64_t version = json.at("format_version").as_integer();
    require(version == Manifest::format_version,
            cat("format_version ", version, ", this program reads ", Manifest::format_version));
    manifest.step = json.at("step").as_integer();
    require(manifest.step >= 0, cat("step ", manifest.step));
    for (const Json& file : json.at("files").as_array()) manifest.files.push_back(read_file(file));
    for (const Json& tensor : json.at("tensors").as_array())
      manifest.tensors.push_back(read_tensor(tensor, manifest));
    check_overlap(manifest);
    return manifest;
  }

 private:
  void require(bool right, const std::string& found) const {
    if (!right) throw DataError(source_, found);
  }

  StoredFile read_file(const Json& json) {
    StoredFile file;
    file.name = json.at("name").as_string();
    const bool plain = !file.name.empty() && file.name[0] != '.' &&
                       file.name.find('/') == std::string::npos && file.name.find('\0') == std::string::npos;
    require(plain, cat("file name '", file.name, "' is not a plain name"));
    require(names_.insert(file.name).second, cat("file '", file.name, "' is listed twice"));
    file.bytes = json.at("bytes").as_integer();
    require(file.bytes >= 0, cat(file.name, " has ", file.bytes, " bytes"));
    file.hash = hash_from_hex(json.at("hash").as_string(), source_);
    return file;
  }

  StoredTensor read_tensor(const Json& json, const Manifest& manifest) {
    StoredTensor tensor;
    tensor.path = json.at("path").as_string();
    require(tensor.path.size() > 1 && tensor.path[0] == '/',
            cat("tensor path '", tensor.path, "' must begin with /"));
    require(paths_.insert(tensor.path).second, cat("tensor ", tensor.path, " is listed twice"));
    const std::string dtype = json.at("dtype").as_string();
    require(dtype == "fp32" || dtype == "bf16",
            cat(tensor.path, ": dtype '", dtype, "', allowed: fp32, bf16"));
    tensor.dtype = dtype == "fp32" ? DType::f32 : DType::bf16;
    const Json::Array& shape = json.at("shape").as_array();
    require(shape.size() <= static_cast<std::size_t>(Shape::max_rank),
            cat(tensor.path, ": ", shape.size(), " axes"));
    for (const Json& extent : shape) {
      require(extent.as_integer() >= 0, cat(tensor.path, ": extent ", extent.as_integer()));
      tensor.shape.append(extent.as_integer());
    }
    tensor.hash = hash_from_hex(json.at("hash").as_string(), source_);
    const std::int64_t elements = tensor.shape.elements();
    std::int64_t next = 0;
    for (const Json& slab : json.at("slabs").as_array()) {
      tensor.ranges.push_back(read_range(slab, tensor, manifest));
      require(tensor.ranges.back().first == next,
              cat(tensor.path, ": a slab begins at ", tensor.ranges.back().first, ", not at ", next));
      require(tensor.ranges.back().count <= elements - next,
              cat(tensor.path, ": slabs hold too many elements"));
      next += tensor.ranges.back().count;
    }
    require(next == elements, cat(tensor.path, ": slabs hold ", next, " of ", elements, " elements"));
    return tensor;
  }

  StoredRange read_range(const Json& json, const StoredTensor& tensor, const Manifest& manifest) {
    StoredRange range;
    range.file = json.at("file").as_string();
    range.dataset = json.at("dataset").as_string();
    range.offset = json.at("offset").as_integer();
    range.first = json.at("first").as_integer();
    range.count = json.at("count").as_integer();
    const StoredFile* file = manifest.file(range.file);
    require(file != nullptr, cat(tensor.path, ": lies in '", range.file, "', which is not listed"));
    const bool inside = range.offset >= 0 && range.count > 0 && range.offset <= file->bytes &&
                        range.count <= (file->bytes - range.offset) / bytes_of(tensor.dtype);
    require(inside, cat(tensor.path, ": ", range.count, " elements from byte ", range.offset, " of ",
                        range.file, ", which has ", file->bytes, " bytes"));
    return range;
  }

  void check_overlap(const Manifest& manifest) const {
    std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> places;
    for (const StoredTensor& tensor : manifest.tensors) {
      for (const StoredRange& range : tensor.ranges) {
        places.emplace_back(range.file, range.offset, range.offset + range.count * bytes_of(tensor.dtype));
      }
    }
    std::sort(places.begin(), places.end());
    for (std::size_t i = 1; i < places.size(); ++i) {
      const auto& [file, begin, end] = places[i];
      const bool apart = file != std::get<0>(places[i - 1]) || begin >= std::get<2>(places[i - 1]);
      require(apart, cat("two tensors share bytes of ", file, " at ", begin));
    }
  }

  std::string source_;
  std::set<std::string> names_;
  std::set<std::string> paths_;
};

}  // namespace

const StoredFile* Manifest::file(const std::string& name) const {
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const StoredFile& f) { return f.name == name; });
  return found == files.end() ? nullptr : &*found;
}

std::string to_text(const Manifest& manifest) {
  std::string text = cat("{\n\"format_version\": ", Manifest::format_version, ",\n\"step\": ", manifest.step);
  const auto list = [&](const char* key, const auto& items, const auto& line) {
    text += cat(",\n\"", key, "\": [");
    const char* separator = "\n";
    for (const auto& item : items) {
      text += separator;
      text += line(item);
      separator = ",\n";
    }
    text += "\n]";
  };
  list("files", manifest.files, [](const StoredFile& file) {
    Json json;
    json.set("name", file.name).set("bytes", file.bytes).set("hash", to_hex(file.hash));
    return json.dump();
  });
  list("tensors", manifest.tensors, [](const StoredTensor& tensor) { return to_json(tensor).dump(); });
  return text + hash_begin + to_hex(bytes_hash(text)) + hash_end;
}

Manifest manifest_from_text(const std::string& text, const std::string& source) {
  const std::size_t cut = text.rfind(hash_begin);
  const std::size_t digits = cut + std::string(hash_begin).size();
  constexpr std::size_t hex_digits = 32;
  if (cut == std::string::npos ||
      text.compare(digits + std::min(hex_digits, text.size() - digits), std::string::npos, hash_end) != 0) {
    throw DataError(source, "does not end with its own hash");
  }
  const Hash128 stated = hash_from_hex(std::string_view(text).substr(digits, hex_digits), source);
  const Hash128 found = bytes_hash(text.data(), cut);
  if (stated != found) {
    throw DataError(source, cat("its content has the hash ", to_hex(found), ", it states ", to_hex(stated)));
  }
  try {
    return Reader(source).read(Json::parse(text, source));
  } catch (const DataError&) {
    throw;
  } catch (const Error& error) {
    throw DataError(source, error.what());
  }
}

}  // namespace wan::checkpoint

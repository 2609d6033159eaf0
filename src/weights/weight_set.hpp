#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "tensor/shape.hpp"
#include "weights/safetensors.hpp"

namespace wan {

/// All tensors of one component (transformer, VAE, text encoder), from one safetensors file or from shards
/// with an index. Errors are NoInputError (nothing there), DataError (naming file and tensor) and IoError.
class WeightSet {
 public:
  /// A component's folder: diffusion_pytorch_model or model, as .safetensors or .safetensors.index.json.
  [[nodiscard]] static WeightSet open_component(const std::string& folder);
  /// A single .safetensors file or an .index.json.
  [[nodiscard]] static WeightSet open_file(const std::string& path);

  /// What messages call this set: the file or index.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// In order.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool contains(const std::string& name) const { return places_.count(name) != 0; }
  [[nodiscard]] const StoredTensor& at(const std::string& name) const;

  /// All elements of `name`, which must have shape `expected`, as fp32 to `out`.
  void read(const std::string& name, const Shape& expected, float* out) const;
  /// Elements [first, first + count) of `name` as they are stored.
  void read_elements(const std::string& name, std::int64_t first, std::int64_t count, void* out) const;
  /// content_hash of the elements as they are stored.
  [[nodiscard]] Hash128 hash(const std::string& name) const;

 private:
  struct Place {
    std::size_t file;
    const StoredTensor* tensor;
  };

  explicit WeightSet(std::string path) : path_(std::move(path)) {}
  void add_file(const std::string& path);
  void add_shards(const std::string& index);
  [[nodiscard]] const Place& place_of(const std::string& name) const;

  std::string path_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, Place> places_;
};

/// The set's tensors as they are stored, in order of their names; its files stay open as long as they live.
[[nodiscard]] StreamedComponent streamed(const std::shared_ptr<const WeightSet>& weights);

/// One number for all weights of a set: the sum over tensors of a hash of (name, dtype, shape, content). It
/// depends on neither order nor sharding. Parts 0 … parts - 1 (each `parts`-th tensor) add up to the whole,
/// so that ranks can share the reading.
[[nodiscard]] Hash128 component_hash(const WeightSet& weights, std::int64_t part = 0, std::int64_t parts = 1);

}  // namespace wan

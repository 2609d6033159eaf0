#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "device/device.hpp"
#include "model/dit/dit.hpp"

namespace wan::test {

/// A sample with its data on the host.
struct DitSample {
  Grid grid;
  float timestep = 0;
  std::vector<float> latent;  ///< [Cin, f, 2 rows, 2 columns]
  std::int64_t text_length = 0;
  std::vector<float> text;  ///< [text_length, text_dim]
};

/// A placed model and the memory to run packs of samples through it.
class DitHarness {
 public:
  DitHarness(Device& device, const DitConfig& config, DType storage);

  [[nodiscard]] const Dit& dit() const { return dit_; }
  void load(const Parameters::Source& source) { dit_.parameters().load(device_, source); }
  void initialise(std::uint64_t seed);
  /// Every parameter moves by normal noise, so that no part of the network is switched off by zeros.
  void perturb(std::uint64_t seed, float deviation);

  struct Result {
    std::vector<float> prediction;
    std::map<std::string, std::vector<float>> gradient;  ///< by parameter
  };
  struct Way {
    RecomputePlan recompute;
    Observers observers;
    bool by_parts = false;  ///< embeddings, each block and head by calls of their own
  };
  /// One forward and backward of sum((prediction - target)^2) * scale; `target` flat like the predictions.
  [[nodiscard]] Result train(const std::vector<DitSample>& samples, const std::vector<float>& target,
                             double scale, const Way& way);
  [[nodiscard]] Result train(const std::vector<DitSample>& samples, const std::vector<float>& target,
                             double scale) {
    return train(samples, target, scale, Way());
  }
  [[nodiscard]] std::vector<float> predict(const std::vector<DitSample>& samples, bool cached);
  /// All samples at the timestep of the first, with caches of text and time; `in_two` takes predict_start and
  /// predict_rest.
  [[nodiscard]] std::vector<float> predict_at_once(const std::vector<DitSample>& samples, bool in_two);

 private:
  struct Loaded;

  Device& device_;
  Dit dit_;
};

/// All gradients of a result as one vector, in order of their names.
[[nodiscard]] std::vector<float> whole_gradient(const DitHarness::Result& result);

}  // namespace wan::test

#pragma once
#include <cstdint>
#include <memory>

#include "device/device.hpp"
#include "model/parameters.hpp"
#include "model/vae/decoder_net.hpp"
#include "model/vae/encoder_net.hpp"
#include "model/vae/vae_config.hpp"

namespace wan {

enum class VaeParts { encoder, decoder, both };

/// The Wan 2.1 video autoencoder (diffusers AutoencoderKLWan), weights on a device. Clips go through it by
/// VaeEncoder and VaeDecoder, which refer to it.
class Vae {
 public:
  /// Reads the parts' weights by diffusers' names. `storage` of weights and activations: fp32 or bf16.
  Vae(Device& device, VaeConfig config, const Parameters::Source& source, DType storage,
      VaeParts parts = VaeParts::both);

  [[nodiscard]] Device& device() const { return *device_; }
  [[nodiscard]] const VaeConfig& config() const { return config_; }
  /// Throw InternalError if the part was not asked for.
  [[nodiscard]] const VaeEncoderNet& encoder() const;
  [[nodiscard]] const VaeDecoderNet& decoder() const;

 private:
  Device* device_;
  VaeConfig config_;
  std::unique_ptr<const VaeEncoderNet> encoder_;
  std::unique_ptr<const VaeDecoderNet> decoder_;
};

/// A clip's frame size, and how many latent frames go through the layers at once: more need more memory; the
/// result is the same. 0 lets checked_geometry choose.
struct VaeGeometry {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t chunk = 0;
};

/// `geometry` with its chunk chosen for the device if it was 0. Throws ConfigError for sizes that are no
/// positive multiples of the model's spatial factor, or a negative chunk.
[[nodiscard]] VaeGeometry checked_geometry(const VaeConfig& config, const VaeGeometry& geometry,
                                           DeviceKind device = DeviceKind::host);

/// Weights of the parts, in elements.
[[nodiscard]] std::int64_t weight_elements(const VaeConfig& config, VaeParts parts);

/// What a stream of clips of one geometry costs, found without data or device.
struct VaePlan {
  FrameWalkSizes memory;               ///< activations and histories, whatever the number of frames
  std::int64_t flops_first_chunk = 0;  ///< a full first chunk
  std::int64_t flops_next_chunk = 0;   ///< a full later chunk
};
[[nodiscard]] VaePlan plan_encode(const VaeConfig& config, DType storage, const VaeGeometry& geometry);
[[nodiscard]] VaePlan plan_decode(const VaeConfig& config, DType storage, const VaeGeometry& geometry);
[[nodiscard]] VaePlan plan_encode(const VaeEncoderNet& net, const VaeConfig& config,
                                  const VaeGeometry& geometry);
[[nodiscard]] VaePlan plan_decode(const VaeDecoderNet& net, const VaeConfig& config,
                                  const VaeGeometry& geometry);

}  // namespace wan

#pragma once
#include <string>

#include "base/json.hpp"
#include "model/dit/config.hpp"
#include "model/text/umt5_config.hpp"
#include "model/vae/vae_config.hpp"
#include "tensor/dtype.hpp"
#include "weights/streamed_tensor.hpp"

namespace wan {

// The configuration files of both layouts, with the members that the published ones have.

/// transformer/config.json of diffusers' WanTransformer3DModel.
[[nodiscard]] Json diffusers_json(const DitConfig& config);
/// config.json of the official WanModel.
[[nodiscard]] Json official_json(const DitConfig& config);
/// Inverse of official_json. The official file does not say the width of the text: it is that of `weights`.
/// Throws DataError(`source`) for what is no text-to-video Wan 2.1 model.
[[nodiscard]] DitConfig official_dit_config(const Json& json, const std::string& source,
                                            const StreamedComponent& weights);
/// vae/config.json of diffusers' AutoencoderKLWan.
[[nodiscard]] Json diffusers_json(const VaeConfig& config);
/// text_encoder/config.json of transformers' UMT5EncoderModel, its weights being stored as `dtype`.
[[nodiscard]] Json transformers_json(const Umt5Config& config, DType dtype);
/// scheduler/scheduler_config.json of the published Wan 2.1 models.
[[nodiscard]] Json scheduler_json();
/// model_index.json of diffusers' WanPipeline; `tokenizer` is transformers' class.
[[nodiscard]] Json model_index_json(const std::string& tokenizer);

}  // namespace wan

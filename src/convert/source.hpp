#pragma once
#include <string>
#include <vector>

#include "base/json.hpp"
#include "config/convert_options.hpp"
#include "model/dit/config.hpp"
#include "weights/streamed_tensor.hpp"

namespace wan {

/// A model to convert, checked as far as names, shapes and dtypes go; no weight has been read.
struct ConvertSource {
  ModelFormat format = ModelFormat::automatic;
  std::string path;          ///< the folder
  std::string what;          ///< for people
  std::string weights_path;  ///< what messages about the transformer's weights name
  DitConfig config;
  /// The transformer's weights under diffusers' names, in the order of dit_weight_names, as they are stored;
  /// a checkpoint's are its masters where it has them.
  std::vector<StreamedTensor> transformer;
  /// Model folder, or id of one, that VAE, text encoder and tokenizer are taken from: named by a flag, the
  /// source itself or recorded by the checkpoint; "" if there is none.
  std::string model;
  /// What the checkpoint recorded of them; null for other formats and for mock data.
  Json origin;
  /// config.yaml of a checkpoint, else "".
  std::string run_config;
};

/// Finds out what `options.from` is and opens it. Throws NoInputError (nothing of the three), DataError (a
/// tensor is missing, is one too many or has the wrong shape or dtype; a model that this suite cannot run),
/// UsageError (flags that do not go with what it is).
[[nodiscard]] ConvertSource open_source(const ConvertOptions& options);

/// The transformer's weights as `options.dtype` wants them; those that stay in fp32 in bf16 storage
/// (declare_dit) do so.
[[nodiscard]] std::vector<StreamedTensor> wanted_weights(const ConvertSource& source, ConvertStorage storage);

/// "825 tensors, 5.3 GiB, fp32".
[[nodiscard]] std::string amount_text(const std::vector<StreamedTensor>& tensors);
[[nodiscard]] std::int64_t bytes_of_all(const std::vector<StreamedTensor>& tensors);

}  // namespace wan

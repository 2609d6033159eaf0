#pragma once
#include <string>
#include <vector>

namespace wan {

/// Where public models may lie on this machine.
struct ModelPlaces {
  std::string models;  ///< $WAN_MODELS; empty if not set
  std::string hub;     ///< the Hugging Face cache's hub folder

  /// $WAN_MODELS; $HF_HUB_CACHE, else $HF_HOME/hub, else $XDG_CACHE_HOME/huggingface/hub, else
  /// ~/.cache/huggingface/hub.
  [[nodiscard]] static ModelPlaces from_environment();
};

/// The model folder that `model` names: a folder, or a public id "ORG/NAME" found as places.models/ORG/NAME
/// or in the cache at the commit that its `main` points to. Nothing is downloaded. Throws NoInputError with
/// the places looked in and the line to run on a login node.
[[nodiscard]] std::string find_model_folder(const std::string& model,
                                            const ModelPlaces& places = ModelPlaces::from_environment());

}  // namespace wan

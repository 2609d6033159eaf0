#pragma once
#include <optional>
#include <string>

#include "base/hash.hpp"
#include "base/json.hpp"
#include "config/sample_options.hpp"
#include "sample/prompt_list.hpp"
#include "sample/sampled_model.hpp"

namespace wan {

/// All that it takes to make one video again: the .json beside it. That file is written last, so it also says
/// that the video is there, and made from what.
class VideoRecord {
 public:
  /// `noise`: hash of the latent that `--noise` gave.
  VideoRecord(const SampleOptions& options, const SampledModel& model, const VideoRequest& request,
              const std::optional<Hash128>& noise);

  /// What decides about the video. Weights, VAE, text encoder and given noise count by their hashes, not by
  /// where they lie; the program's version does not count.
  [[nodiscard]] const Json& settings() const { return settings_; }

  /// The hash of the latent, if `path` records a video of these settings and `video` is that video, byte for
  /// byte.
  [[nodiscard]] std::optional<Hash128> finished(const std::string& path, const std::string& video) const;

  /// Writes the record of `video`, which is on disk. Throws CreateError, IoError.
  void write(const std::string& path, const std::string& video, const Hash128& latent) const;

 private:
  Json settings_;
  Json sources_;  ///< where things were found and who made the video
};

}  // namespace wan

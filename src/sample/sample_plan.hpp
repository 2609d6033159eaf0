#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sample/base_seed.hpp"
#include "sample/prompt_list.hpp"
#include "sample/sampled_model.hpp"
#include "sample/video_record.hpp"

namespace wan {

/// A video that was asked for, and what is there of it.
struct PlannedVideo {
  VideoRequest request;
  VideoRecord record;
  std::string video;        ///< its file
  std::string record_file;  ///< the .json beside it
  bool finished = false;    ///< both are there and made from the same settings
};

/// What a job has to do, the same on all ranks.
struct SamplePlan {
  BaseSeed seed;
  std::vector<PlannedVideo> videos;
  std::vector<float> noise;  ///< the initial latent of the one video, if `--noise` gives it

  [[nodiscard]] const PlannedVideo& video(std::int64_t i) const {
    return videos[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(videos.size()); }
  [[nodiscard]] std::int64_t finished() const;
};

/// Reads the prompts, looks into the output folder which videos earlier starts of the same command have
/// finished, and checks all that would otherwise fail after hours of work: folders that cannot be written to,
/// a missing encoder, noise that does not fit. With `--dump` every video counts as unfinished. Collective.
/// Throws UsageError, DataError, NoInputError, CreateError on all ranks.
[[nodiscard]] SamplePlan plan_samples(const Runtime& runtime, const SampleOptions& options,
                                      const SampledModel& model);

}  // namespace wan

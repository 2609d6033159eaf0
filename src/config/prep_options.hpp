#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/choices.hpp"
#include "config/command_line.hpp"
#include "config/vae_tiling.hpp"

namespace wan {

/// What wan-prep is asked to do.
struct PrepOptions {
  std::string video_folder;
  std::string output_dir;
  std::string model = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers";
  std::optional<std::int64_t> height;  ///< pixels; with width, or neither
  std::optional<std::int64_t> width;
  ResizeKind resize_mode = ResizeKind::bilinear;
  bool no_aspect_ratio = false;
  bool center_crop = false;
  PrepMode mode = PrepMode::video;
  std::int64_t num_frames = 10;
  std::optional<double> fps = 16.0;       ///< frames per second; null keeps the file's own
  std::int64_t clip_frames = 81;          ///< always 4n + 1
  std::int64_t start = 0;                 ///< first frame of the first clip, counted at `fps`
  std::optional<std::int64_t> stride;     ///< frames between the starts of clips; null: clip_frames
  std::int64_t min_tail = 5;              ///< frames that a clip cut short by the video's end must have
  std::optional<std::int64_t> max_clips;  ///< clips per video; null: all
  bool recursive = false;
  bool stochastic = false;
  Storage latent_dtype = Storage::bf16;
  ModelStorage encoder_dtype = ModelStorage::automatic;
  VaeTiling vae_tiling;
  std::optional<std::int64_t> random_weights;  ///< seed of weights that stand in for the model's
  std::vector<double> split = {8, 1, 1};       ///< weights of train, validation, test
  std::int64_t part = 0;                       ///< this task's number, 0 .. parts - 1
  std::int64_t parts = 1;
  bool finalize = false;
  bool dry_run = false;               ///< tell what a run would do, and end
  std::int64_t shard_maxcount = 128;  ///< videos per shard file
  std::int64_t seed = 1234;
  std::optional<std::int64_t> threads;  ///< per rank; null: cores / ranks of this host
  bool reference = false;               ///< every op by its slow reference
};

/// The flags of wan-prep. Throws UsageError, also where flags contradict each other.
[[nodiscard]] Invocation<PrepOptions> parse_prep_options(const std::vector<std::string>& arguments);

}  // namespace wan

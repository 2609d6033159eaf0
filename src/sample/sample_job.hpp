#pragma once
#include "base/error.hpp"
#include "config/sample_options.hpp"
#include "runtime/runtime.hpp"

namespace wan {

/// wan-sample: prompts to videos. Models are resident one after the other: text encoder, transformer, VAE
/// decoder. The ranks share the videos (share_out.hpp); a video does not depend on their number. Each video
/// is an mp4 (a PNG for one frame) with a .json of the same name beside it. Collective. Throws what is wrong
/// with flags, model or files.
[[nodiscard]] ExitCode run_sample(Runtime& runtime, const SampleOptions& options);

}  // namespace wan

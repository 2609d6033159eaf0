#include "sample/stage_times.hpp"

namespace wan {

Json StageTimes::json() const {
  Json::Array list;
  for (const BatchTimes& batch : batches) {
    Json::Array videos;
    for (const std::string& video : batch.videos) videos.emplace_back(video);
    Json one;
    one.set("videos", Json(std::move(videos)))
        .set("branches", batch.branches)
        .set("steps", batch.steps)
        .set("denoise_ms", batch.denoise_ms)
        .set("step_ms", batch.steps == 0 ? 0.0 : batch.denoise_ms / static_cast<double>(batch.steps))
        .set("vae_ms", batch.vae_ms)
        .set("write_ms", batch.write_ms);
    list.push_back(std::move(one));
  }
  Json out;
  out.set("load_ms", load_ms)
      .set("text_ms", text_ms)
      .set("sampling_ms", sampling_ms)
      .set("batches", Json(std::move(list)));
  return out;
}

}  // namespace wan

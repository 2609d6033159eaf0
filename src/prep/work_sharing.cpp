#include "prep/work_sharing.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace wan {
namespace {

std::int64_t pixels(const SourceTask& source) {
  std::int64_t frames = 0;
  for (const ClipTask& task : source.clips) frames += task.clip.frames;
  return frames * source.height * source.width;
}

std::int64_t pixels(const std::vector<SourceTask>& sources) {
  std::int64_t sum = 0;
  for (const SourceTask& source : sources) sum += pixels(source);
  return sum;
}

/// Every run begins with finding its video's frames anew, so there are no more than needed.
std::vector<SourceTask> cut_long_ones(std::vector<SourceTask> sources, int parts) {
  const std::int64_t most = pixels(sources) / (2 * parts);
  std::vector<SourceTask> runs;
  for (SourceTask& source : sources) {
    if (parts == 1 || pixels(source) <= most) {
      runs.push_back(std::move(source));
      continue;
    }
    SourceTask run{source.path, source.height, source.width, {}};
    for (const ClipTask& clip : source.clips) {
      run.clips.push_back(clip);
      if (pixels(run) < most) continue;
      runs.push_back(run);
      run.clips.clear();
    }
    if (!run.clips.empty()) runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace

std::vector<SourceTask> pending_sources(const std::vector<Shard>& shards, const std::string& video_folder) {
  std::vector<SourceTask> sources;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const std::vector<RowState> states = shards[s].states();
    const std::vector<Row>& rows = shards[s].plan().table.rows;
    std::string last_source;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (states[i] != RowState::empty) continue;
      if (rows[i].source != last_source) {
        last_source = rows[i].source;
        sources.push_back({video_folder + "/" + last_source, rows[i].height, rows[i].width, {}});
      }
      sources.back().clips.push_back({static_cast<std::int64_t>(s),
                                      static_cast<std::int64_t>(i),
                                      {rows[i].frame_start, rows[i].frame_count}});
    }
  }
  return sources;
}

std::vector<SourceTask> share_of(std::vector<SourceTask> sources, int rank, int ranks, int threads) {
  sources = cut_long_ones(std::move(sources), ranks * threads);
  std::stable_sort(sources.begin(), sources.end(),
                   [](const auto& a, const auto& b) { return pixels(a) > pixels(b); });
  std::vector<std::int64_t> load(static_cast<std::size_t>(ranks), 0);
  std::vector<SourceTask> share;
  for (SourceTask& source : sources) {
    const auto least = std::min_element(load.begin(), load.end());
    *least += pixels(source);
    if (least - load.begin() == rank) share.push_back(std::move(source));
  }
  std::stable_sort(share.begin(), share.end(), [](const auto& a, const auto& b) {
    return std::tie(a.height, a.width) < std::tie(b.height, b.width);
  });
  return share;
}

}  // namespace wan

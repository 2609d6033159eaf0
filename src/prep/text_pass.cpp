#include "prep/text_pass.hpp"

#include <chrono>
#include <cstddef>
#include <string>

#include "comm/agree.hpp"
#include "weights/prompt_encoder.hpp"

namespace wan {
namespace {

/// A text that takes longer than this hangs.
constexpr double longest_text_s = 1800;

using Clock = std::chrono::steady_clock;

/// The rows of one video that lack their text, which is the same for all.
struct TextTask {
  std::size_t shard = 0;  ///< in the window
  std::string source;
  std::vector<std::int64_t> rows;
};

std::vector<TextTask> missing_texts(const std::vector<Shard>& window) {
  std::vector<TextTask> tasks;
  for (std::size_t s = 0; s < window.size(); ++s) {
    const std::vector<bool> there = window[s].texts_there();
    for (std::size_t i = 0; i < there.size(); ++i) {
      if (there[i]) continue;
      const std::string& source = window[s].plan().table.rows[i].source;
      if (tasks.empty() || tasks.back().shard != s || tasks.back().source != source)
        tasks.push_back({s, source, {}});
      tasks.back().rows.push_back(static_cast<std::int64_t>(i));
    }
  }
  return tasks;
}

/// One rank's share of the texts.
class TextEncoding {
 public:
  TextEncoding(Runtime& runtime, Device& device, const ModelParts& model, EncodeCosts& costs)
      : runtime_(runtime), captions_(device, model), costs_(costs) {}

  void run(std::vector<Shard>& window, const std::vector<TextTask>& tasks, PassProgress& progress) {
    Watchdog::Watch watch(runtime_.watchdog(), "encoding texts", longest_text_s);
    if (runtime_.rank() == 0) {
      for (Shard& shard : window) {
        if (!shard.null_text_there()) shard.write_null_text(captions_.encode(""));
      }
    }
    const auto ranks = static_cast<std::size_t>(runtime_.size());
    for (std::size_t i = static_cast<std::size_t>(runtime_.rank()); i < tasks.size(); i += ranks) {
      if (runtime_.signals().stop_asked()) return;
      encode(window[tasks[i].shard], tasks[i]);
      watch.beat();
      progress.tell(window, costs_);
    }
  }

 private:
  void encode(Shard& shard, const TextTask& task) {
    const Clock::time_point begin = Clock::now();
    const Row& first = shard.plan().table.rows[static_cast<std::size_t>(task.rows.front())];
    const std::vector<float>& text = captions_.encode(first.caption);
    ++costs_.texts;
    costs_.text_s += std::chrono::duration<double>(Clock::now() - begin).count();
    for (const std::int64_t row : task.rows) shard.write_text(row, text);
  }

  Runtime& runtime_;
  PromptEncoder captions_;
  EncodeCosts& costs_;
};

}  // namespace

PassResult encode_texts(Runtime& runtime, Device& device, const PrepJob& job, const ModelParts& model,
                        const std::vector<std::int64_t>& numbers, EncodeCosts& costs) {
  const Communicator& world = runtime.world();
  std::vector<std::int64_t> pending;
  EncodeCount start;
  do_together(world, [&] {
    for (const std::int64_t number : numbers) {
      const Shard shard = read_shard(job, number);
      const EncodeCount count = count_texts(shard);
      start.done += count.done;
      start.total += count.total;
      if (count.total > 0 && (count.done < count.total || !shard.null_text_there()))
        pending.push_back(number);
    }
  });
  if (pending.empty()) return PassResult::complete;

  std::optional<TextEncoding> encoding;
  do_together(world, [&] { encoding.emplace(runtime, device, model, costs); });
  PassProgress progress(runtime, EncodeStage::texts, start, count_texts);
  std::vector<TextTask> tasks;
  WindowPass pass;
  pass.prepare = [&](std::vector<Shard>& window) {
    progress.enter(window);
    tasks = missing_texts(window);
  };
  pass.work = [&](std::vector<Shard>& window) { encoding->run(window, tasks, progress); };
  pass.settle = [&](std::vector<Shard>& window) { progress.leave(window); };
  const PassResult result = walk_windows(runtime, job, pending, pass);
  if (result == PassResult::complete) progress.finish(costs);
  return result;
}

}  // namespace wan

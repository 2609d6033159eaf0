#include "prep/text_pass.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>

#include "comm/agree.hpp"
#include "prep/prep_advice.hpp"
#include "weights/prompt_encoder.hpp"

namespace wan {
namespace {

/// A text that takes longer than this hangs.
constexpr double longest_text_s = 1800;

using Clock = std::chrono::steady_clock;

/// The text of one video, and its rows that lack it.
struct TextTask {
  std::size_t shard = 0;  ///< in the window
  std::string source;
  std::string caption;
  std::int64_t tokens = 0;
  std::vector<std::int64_t> rows;
};

/// Texts that go through the encoder together.
using TextBatch = std::vector<TextTask>;

std::vector<TextTask> texts_of(const Shard& shard, std::size_t number) {
  std::vector<TextTask> tasks;
  const std::vector<bool> there = shard.texts_there();
  for (std::size_t i = 0; i < there.size(); ++i) {
    const Row& row = shard.plan().table.rows[i];
    if (tasks.empty() || tasks.back().source != row.source)
      tasks.push_back({number, row.source, row.caption, row.text_rows, {}});
    if (!there[i]) tasks.back().rows.push_back(static_cast<std::int64_t>(i));
  }
  return tasks;
}

/// The batches in which a text is missing. They are cut from all texts of a shard, so that a text has the
/// same company on any number of ranks and after any stop: its last bits may depend on it.
std::vector<TextBatch> missing_texts(const std::vector<Shard>& window, DeviceKind device) {
  std::vector<TextBatch> batches;
  for (std::size_t s = 0; s < window.size(); ++s) {
    const std::vector<TextTask> tasks = texts_of(window[s], s);
    std::vector<std::int64_t> tokens;
    for (const TextTask& task : tasks) tokens.push_back(task.tokens);
    for (const std::vector<std::size_t>& places : text_batches(tokens, device)) {
      TextBatch batch;
      for (const std::size_t place : places) batch.push_back(tasks[place]);
      if (std::any_of(batch.begin(), batch.end(), [](const TextTask& task) { return !task.rows.empty(); }))
        batches.push_back(std::move(batch));
    }
  }
  return batches;
}

/// One rank's share of the texts.
class TextEncoding {
 public:
  TextEncoding(Runtime& runtime, Device& device, const ModelParts& model, EncodeCosts& costs)
      : runtime_(runtime), captions_(device, model), costs_(costs) {}

  void run(std::vector<Shard>& window, const std::vector<TextBatch>& batches, PassProgress& progress) {
    Watchdog::Watch watch(runtime_.watchdog(), "encoding texts", longest_text_s);
    if (runtime_.rank() == 0) {
      for (Shard& shard : window) {
        if (!shard.null_text_there()) shard.write_null_text(captions_.encode(""));
      }
    }
    begin_ = Clock::now();
    std::deque<const TextBatch*> started;
    const auto write_first = [&] {
      write(window, *started.front());
      started.pop_front();
      watch.beat();
      progress.tell(window, costs_);
    };
    const auto ranks = static_cast<std::size_t>(runtime_.size());
    for (std::size_t i = static_cast<std::size_t>(runtime_.rank()); i < batches.size(); i += ranks) {
      if (runtime_.signals().stop_asked()) break;
      std::vector<std::string> texts;
      for (const TextTask& task : batches[i]) texts.push_back(task.caption);
      captions_.start(texts);
      started.push_back(&batches[i]);
      if (captions_.under_way() == 2) write_first();
    }
    while (!started.empty()) write_first();
  }

 private:
  void write(std::vector<Shard>& window, const TextBatch& batch) {
    const std::vector<std::vector<float>> texts = captions_.take();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      for (const std::int64_t row : batch[i].rows) window[batch[i].shard].write_text(row, texts[i]);
      if (!batch[i].rows.empty()) ++costs_.texts;
    }
    const Clock::time_point now = Clock::now();
    costs_.text_s += std::chrono::duration<double>(now - begin_).count();
    begin_ = now;
  }

  Runtime& runtime_;
  PromptEncoder captions_;
  EncodeCosts& costs_;
  Clock::time_point begin_;
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
  const auto on_device = [&](const auto& body) {
    with_prep_advice(device, job.tiling, model.weights.storage, body);
  };
  do_together(world, [&] { on_device([&] { encoding.emplace(runtime, device, model, costs); }); });
  PassProgress progress(runtime, EncodeStage::texts, start, count_texts);
  std::vector<TextBatch> batches;
  WindowPass pass;
  pass.prepare = [&](std::vector<Shard>& window) {
    progress.enter(window);
    batches = missing_texts(window, device.kind());
  };
  pass.work = [&](std::vector<Shard>& window) {
    on_device([&] { encoding->run(window, batches, progress); });
  };
  pass.settle = [&](std::vector<Shard>& window) { progress.leave(window); };
  const PassResult result = walk_windows(runtime, job, pending, pass);
  if (result == PassResult::complete) progress.finish(costs);
  return result;
}

}  // namespace wan

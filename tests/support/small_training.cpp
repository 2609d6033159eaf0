#include "support/small_training.hpp"

#include <cmath>
#include <limits>
#include <map>

#include "base/file.hpp"
#include "base/text.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/names.hpp"

namespace wan::test {

std::vector<std::string> small_training(const std::string& run_folder, const std::vector<std::string>& more) {
  std::vector<std::string> words = {WAN_TRAIN,
                                    "--mock",
                                    "--training-mode",
                                    "pretrain",
                                    "checkpoint.save=" + run_folder,
                                    "checkpoint.save_interval=10",
                                    "model.hidden_size=64",
                                    "model.num_attention_heads=2",
                                    "model.num_layers=2",
                                    "model.ffn_hidden_size=128",
                                    "model.text_dim=16",
                                    "model.in_channels=4",
                                    "model.out_channels=4",
                                    "dataset.F_latents=2",
                                    "dataset.H_latents=8",
                                    "dataset.W_latents=8",
                                    "dataset.context_seq_len=5",
                                    "train.global_batch_size=8",
                                    "train.micro_batch_size=2",
                                    "train.train_iters=20",
                                    "optimizer.lr=1e-2",
                                    "scheduler.lr_warmup_iters=0",
                                    "scheduler.lr_decay_style=constant",
                                    "ema.enabled=true",
                                    "logger.log_interval=100",
                                    "runtime.threads=1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<Json> metrics_of(const std::string& run_folder, const std::string& kind) {
  std::vector<Json> lines;
  for (const std::string& line : split(read_file(run_folder + "/metrics.jsonl"), '\n')) {
    if (line.empty()) continue;
    Json json = Json::parse(line, run_folder);
    if (json.at("kind").as_string() == kind) lines.push_back(std::move(json));
  }
  return lines;
}

std::vector<float> weights_of(const std::string& run_folder, std::int64_t step, const std::string& folder) {
  const checkpoint::Checkpoint opened = checkpoint::open_iteration(
      Communicator(), run_folder + "/" + checkpoint::iteration_name(step), checkpoint::Wanted());
  std::map<std::string, Shape> tensors;
  for (const checkpoint::StoredTensor& tensor : opened.manifest().tensors) {
    if (tensor.path.rfind(folder, 0) == 0) tensors[tensor.path] = tensor.shape;
  }
  std::vector<float> weights;
  for (const auto& [path, shape] : tensors) {
    const std::size_t before = weights.size();
    weights.resize(before + static_cast<std::size_t>(shape.elements()));
    opened.read(path, ShardSpec::whole(shape), DType::f32, weights.data() + before);
  }
  return weights;
}

double relative_distance(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    size += static_cast<double>(b[i]) * b[i];
  }
  return std::sqrt(difference / size);
}

bool same_checkpoint(const std::string& run_a, const std::string& run_b, std::int64_t step) {
  for (const char* name : {"model.h5", "optim.h5", "state.json"}) {
    const std::string file = "/" + checkpoint::iteration_name(step) + "/" + name;
    if (read_file(run_a + file) != read_file(run_b + file)) return false;
  }
  return true;
}

}  // namespace wan::test

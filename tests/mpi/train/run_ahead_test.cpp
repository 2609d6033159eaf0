#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "comm/agree.hpp"
#include "config/train_options.hpp"
#include "device/open_device.hpp"
#include "model/storage.hpp"
#include "support/late_device.hpp"
#include "support/mpi_world.hpp"
#include "support/small_training.hpp"
#include "support/temporary_folder.hpp"
#include "train/trainer.hpp"

// The loop over steps on a device whose answers come late.
namespace wan::test {
namespace {

Device& host() {
  static const std::unique_ptr<Device> device = [] {
    DeviceOptions options;
    options.kind = DeviceKind::host;
    options.threads = 1;
    return open_device(options);
  }();
  return *device;
}

class run_ahead : public ::testing::Test {
 protected:
  run_ahead() {
    if (world_.rank() == 0) folder_ = std::make_unique<TemporaryFolder>();
    root_ = broadcast_text(world_, folder_ == nullptr ? "" : folder_->path());
  }
  ~run_ahead() override { world_.barrier(); }

  [[nodiscard]] std::string run_folder(const std::string& name) const { return root_ + "/" + name; }

  /// Trains in this process, checkpoints only at the end unless `more` says otherwise.
  void train(Device& device, const std::string& name, const std::vector<std::string>& more) const {
    std::vector<std::string> words =
        small_training(run_folder(name), {"checkpoint.save_interval=1000", "train.eval_iters=0",
                                          "optimizer.clip_grad=0.1", "runtime.peak_tflops=1"});
    words.insert(words.end(), more.begin(), more.end());
    words.erase(words.begin());
    const TrainConfigSource source = parse_train_options(words).options.source;
    TrainConfig config = load_train_config(source, world_.size()).config;
    config.model.params_dtype = storage_on(device.kind(), config.model.params_dtype);
    RunFolder folder(mpi_world(), config.checkpoint.save, {"run_ahead_test"});
    Trainer trainer(mpi_world(), folder, device, config, "");
    EXPECT_EQ(trainer.run(), config.train.exit_interval ? ExitCode::requeue : ExitCode::done);
  }

  [[nodiscard]] LateDevice::Counts counts_of(int steps) const {
    LateDevice device(host());
    train(device, "steps" + std::to_string(steps), {"train.train_iters=" + std::to_string(steps)});
    EXPECT_EQ(device.overwritten(), 0);
    return device.counts();
  }

  const Communicator& world_ = mpi_world().world();
  std::unique_ptr<TemporaryFolder> folder_;
  std::string root_;
};

TEST_F(run_ahead, a_step_in_its_stride_allocates_nothing_and_leaves_the_device_work_while_it_waits) {
  const LateDevice::Counts few = counts_of(4);
  const LateDevice::Counts many = counts_of(12);
  EXPECT_GT(few.allocations, 0);
  EXPECT_EQ(many.allocations, few.allocations);
  EXPECT_EQ(many.synchronizations, few.synchronizations);
  EXPECT_GT(few.idle_waits, 0) << "the last step has nothing behind it";
  EXPECT_EQ(many.idle_waits, few.idle_waits);
}

/// The third way throws the weights out of range in its first update, so that all others are skipped; it
/// stops before its last step, which must have a finite loss.
TEST_F(run_ahead, late_answers_give_the_same_run_bit_for_bit) {
  const std::vector<std::vector<std::string>> ways = {
      {"model.params_dtype=fp32"},
      {"model.params_dtype=bf16"},
      {"optimizer.lr=1e30", "train.skipped_updates_allowed=100", "train.train_iters=13",
       "train.exit_interval=12"}};
  for (std::size_t way = 0; way < ways.size(); ++way) {
    SCOPED_TRACE(ways[way].front());
    std::vector<std::string> more = {"train.train_iters=12", "checkpoint.save_interval=5"};
    more.insert(more.end(), ways[way].begin(), ways[way].end());
    const std::string a = run_folder("prompt" + std::to_string(way));
    const std::string b = run_folder("late" + std::to_string(way));
    train(host(), "prompt" + std::to_string(way), more);
    LateDevice late(host());
    train(late, "late" + std::to_string(way), more);
    EXPECT_EQ(late.overwritten(), 0);
    if (world_.rank() != 0) continue;
    for (const std::int64_t step : {5, 10, 12}) EXPECT_TRUE(same_checkpoint(a, b, step)) << step;
    const std::vector<Json> x = metrics_of(a);
    const std::vector<Json> y = metrics_of(b);
    ASSERT_EQ(x.size(), 12U);
    ASSERT_EQ(y.size(), 12U);
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (const char* key :
           {"step", "loss", "loss_unweighted", "grad_norm", "lr", "tokens", "consumed_samples", "skipped"}) {
        EXPECT_EQ(x[i].at(key).dump(), y[i].at(key).dump()) << key << " of line " << i;
      }
    }
  }
}

}  // namespace
}  // namespace wan::test

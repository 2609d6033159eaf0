#include "apps/program.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "config/train_options.hpp"
#include "device/open_device.hpp"
#include "device/out_of_memory.hpp"
#include "model/storage.hpp"
#include "train/config_agreement.hpp"
#include "train/memory_advice.hpp"
#include "train/run_plan.hpp"
#include "train/trainer.hpp"

namespace {

wan::ExitCode train(wan::Runtime& runtime, const wan::TrainOptions& options,
                    const std::vector<std::string>& command) {
  wan::LoadedTrainConfig loaded = wan::load_train_config(options.source, runtime.size());
  wan::ModelStorage& storage = loaded.config.model.params_dtype;
  storage = wan::storage_on(wan::default_device_kind(), storage);
  const wan::TrainConfig& config = loaded.config;
  wan::require_same_config(runtime.world(), config);
  wan::require_agreement(runtime.world(), "--dump", options.dump.value_or(""));
  wan::require_agreement(runtime.world(), "--dry-run", options.dry_run ? "given" : "not given");
  wan::require_agreement(runtime.world(), "--reference", options.reference ? "given" : "not given");
  if (runtime.rank() == 0) {
    for (const std::string& notice : loaded.notices) wan::log::info(notice);
  }
  if (options.dry_run) {
    for (const std::string& line : wan::describe_run(config, runtime.world())) wan::log::info(line);
    return wan::ExitCode::done;
  }

  std::optional<wan::Watchdog::Watch> starting(std::in_place, runtime.watchdog(), "start",
                                               config.runtime.watchdog_start_seconds);
  wan::RunFolder folder(runtime, config.checkpoint.save, command);
  wan::DeviceOptions device_options;
  device_options.threads = runtime.threads(static_cast<int>(config.runtime.threads.value_or(0)));
  device_options.reference = options.reference;
  device_options.deterministic = config.runtime.deterministic;
  device_options.index = runtime.local_rank();
  std::unique_ptr<wan::Device> device;
  try {
    device = wan::open_device(device_options);
    wan::Trainer trainer(runtime, folder, *device, config, options.dump.value_or(""));
    // Not before: a start that is refused leaves what stands there.
    wan::do_together(runtime.world(), [&] {
      if (runtime.rank() == 0) wan::write_file_atomically(folder.file("config.yaml"), wan::dump_yaml(config));
    });
    starting.reset();
    return trainer.run();
  } catch (const wan::OutOfMemory& error) {
    const std::optional<wan::DeviceMemory> memory = device ? device->memory() : error.found;
    if (!memory) throw;
    throw wan::CommError(wan::cat(error.what(), "; ", wan::memory_advice(config, runtime.size(), *memory)));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> command(argv, argv + argc);
  return wan::run_program<wan::TrainOptions>(argc, argv, wan::parse_train_options,
                                             [&](wan::Runtime& runtime, const wan::TrainOptions& options) {
                                               return train(runtime, options, command);
                                             });
}

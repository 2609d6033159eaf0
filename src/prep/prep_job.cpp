#include "prep/prep_job.hpp"

#include <memory>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "device/open_device.hpp"
#include "prep/encode_pass.hpp"
#include "prep/finish.hpp"
#include "prep/prep_settings.hpp"
#include "prep/prep_start.hpp"
#include "prep/preview.hpp"
#include "prep/text_pass.hpp"

namespace wan {
namespace {

/// Rows that differ when they are read back are encoded anew this often before the disk is given up.
constexpr int verify_rounds = 2;

std::optional<DatasetLock> lock_together(const Communicator& world, const std::string& folder,
                                         const PrepPart& part) {
  std::optional<DatasetLock> lock;
  do_together(world, [&] {
    if (world.rank() != 0) return;
    make_folders(folder + "/shards");
    lock.emplace(folder, part);
  });
  return lock;
}

/// Until every row of the shards is done or rejected and reads back as it was written; false if a stop was
/// asked for.
bool encode_rows(Runtime& runtime, const PrepJob& job, const ModelParts& model,
                 const std::vector<std::int64_t>& shards) {
  DeviceOptions options;
  options.threads = runtime.threads(job.threads);
  options.reference = job.reference;
  options.index = runtime.local_rank();
  const std::unique_ptr<Device> device = open_device(options);
  EncodeCosts costs;
  for (int round = 0; round <= verify_rounds; ++round) {
    if (encode_texts(runtime, *device, job, model, shards, costs) == PassResult::stopped ||
        encode_clips(runtime, *device, job, model, shards, costs) == PassResult::stopped) {
      return false;
    }
    const std::optional<std::int64_t> differing = verify_shards(runtime, job, shards);
    if (!differing) return false;
    if (*differing == 0) return true;
  }
  throw IoError(job.output_folder, 0, "rows read back differ from what was written");
}

ExitCode prepare(Runtime& runtime, const PrepOptions& options) {
  const Communicator& world = runtime.world();
  const ModelParts model =
      read_model_parts(world, options.model, {seed_of(options.random_weights), options.encoder_dtype});
  const PrepJob job = prep_job(options, model);
  say(runtime, describe(job.settings));
  if (is_finished(world, job, options.recursive)) {
    say(runtime, job.output_folder + " is a finished data set already; nothing to do");
    return ExitCode::done;
  }
  const std::vector<SourceFile> videos = scan_together(world, options);
  const auto lock = lock_together(world, job.output_folder, job.part);
  // The job that held the lock before may have finished meanwhile.
  if (is_finished(world, job, options.recursive)) {
    say(runtime, job.output_folder + " was finished by another job; nothing to do");
    return ExitCode::done;
  }
  const std::vector<std::int64_t> shards = shards_of_part(job, static_cast<std::int64_t>(videos.size()));
  do_together(world, [&] {
    if (runtime.rank() == 0) remove_leftovers(job.output_folder, shards);
  });
  say(runtime, cat(videos.size(), " videos, ", shards.size(), " shards to make in this job"));
  if (!plan_shards(runtime, job, model, videos)) return ExitCode::requeue;
  if (!encode_rows(runtime, job, model, shards)) {
    say(runtime, "stopped on request; start the job again to continue");
    return ExitCode::requeue;
  }
  if (job.part.whole()) finish_dataset(world, job.output_folder);
  return ExitCode::done;
}

ExitCode finalize(Runtime& runtime, const PrepOptions& options) {
  const Communicator& world = runtime.world();
  // Before the lock, which would make the folder.
  (void)is_joined(world, options.output_dir);
  // As a whole job: no part may be written meanwhile.
  const auto lock = lock_together(world, options.output_dir, PrepPart());
  if (is_joined(world, options.output_dir)) {
    say(runtime, options.output_dir + " is a finished data set already; nothing to do");
    return ExitCode::done;
  }
  finish_dataset(world, options.output_dir);
  return ExitCode::done;
}

}  // namespace

ExitCode run_prep(Runtime& runtime, const PrepOptions& options) {
  if (options.dry_run) return preview_prep(runtime, options);
  return options.finalize ? finalize(runtime, options) : prepare(runtime, options);
}

}  // namespace wan

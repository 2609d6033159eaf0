#include "prep/shard_windows.hpp"

#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "comm/agree.hpp"

namespace wan {
namespace {

/// Shards that are open at once; each costs file handles on every rank.
constexpr std::size_t shards_at_once = 32;

/// What shards are opened with: MPI-IO where there are ranks to share them with.
std::optional<MPI_Comm> mpi_handle(const Communicator& world) {
  const void* handle = world.native();
  if (handle == nullptr || world.size() == 1) return std::nullopt;
  return *static_cast<const MPI_Comm*>(handle);
}

std::string path_of(const PrepJob& job, std::int64_t number) {
  return job.output_folder + "/" + shard_name(number);
}

void run_window(const Communicator& world, std::vector<Shard> shards, const WindowPass& pass) {
  Outcome outcome = try_together(world, [&] { pass.prepare(shards); });
  if (outcome.good()) outcome = try_together(world, [&] { pass.work(shards); });
  if (outcome.good()) outcome = try_together(world, [&] { pass.settle(shards); });
  for (Shard& shard : shards) shard.close();
  if (!outcome.good()) throw SharedError(outcome);
}

EncodeCount sum(const std::vector<Shard>& shards, CountRows count) {
  EncodeCount out;
  for (const Shard& shard : shards) {
    const EncodeCount one = count(shard);
    out = {out.done + one.done, out.rejected + one.rejected, out.total + one.total};
  }
  return out;
}

}  // namespace

PassResult walk_windows(Runtime& runtime, const PrepJob& job, const std::vector<std::int64_t>& numbers,
                        const WindowPass& pass) {
  const Communicator& world = runtime.world();
  for (std::size_t first = 0; first < numbers.size(); first += shards_at_once) {
    std::vector<Shard> window;
    for (std::size_t i = first; i < std::min(numbers.size(), first + shards_at_once); ++i)
      window.push_back(Shard::open_to_write(path_of(job, numbers[i]), mpi_handle(world)));
    run_window(world, std::move(window), pass);
    if (max_over(world, std::int64_t{runtime.signals().stop_asked() ? 1 : 0}) != 0)
      return PassResult::stopped;
  }
  return PassResult::complete;
}

Shard read_shard(const PrepJob& job, std::int64_t number) {
  return Shard::open_to_read(path_of(job, number));
}

EncodeCount count_clips(const Shard& shard) {
  const std::vector<RowState> states = shard.states();
  return {std::count(states.begin(), states.end(), RowState::done),
          std::count(states.begin(), states.end(), RowState::rejected), shard.rows()};
}

EncodeCount count_texts(const Shard& shard) {
  const std::vector<bool> there = shard.texts_there();
  return {std::count(there.begin(), there.end(), true), 0, shard.rows()};
}

PassProgress::PassProgress(const Runtime& runtime, EncodeStage stage, const EncodeCount& start,
                           CountRows count)
    : count_(count), reached_(start) {
  if (runtime.rank() == 0) progress_.emplace(stage, start, ::isatty(STDERR_FILENO) == 1);
}

EncodeCount PassProgress::now(const std::vector<Shard>& window) const {
  const EncodeCount open = sum(window, count_);
  return {reached_.done + open.done - opened_.done, reached_.rejected + open.rejected - opened_.rejected,
          reached_.total};
}

void PassProgress::enter(const std::vector<Shard>& window) {
  opened_ = sum(window, count_);
}

void PassProgress::leave(const std::vector<Shard>& window) {
  reached_ = now(window);
}

void PassProgress::tell(const std::vector<Shard>& window, const EncodeCosts& costs) {
  if (progress_ && progress_->due()) progress_->tell(now(window), costs);
}

void PassProgress::finish(const EncodeCosts& costs) {
  if (progress_) progress_->finish(reached_, costs);
}

}  // namespace wan

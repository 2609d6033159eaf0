#include "checkpoint/open_place.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/text.hpp"
#include "checkpoint/names.hpp"

namespace wan::checkpoint {

std::optional<Checkpoint> open_place(const Communicator& comm, const std::string& place,
                                     const Wanted& wanted) {
  const std::filesystem::path path = std::filesystem::path(place + "/").lexically_normal().parent_path();
  const std::optional<std::int64_t> step = step_of(path.filename());
  if (!step) return open_newest(comm, place, wanted);
  if (wanted.step >= 0 && wanted.step != *step) {
    throw UsageError(cat(place, " is the checkpoint of one step, found ", wanted.step, " asked for"));
  }
  return open_newest(comm, path.has_parent_path() ? path.parent_path() : ".", {*step, wanted.optimizer});
}

}  // namespace wan::checkpoint

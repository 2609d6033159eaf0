#include "checkpoint/open_place.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/text.hpp"
#include "checkpoint/names.hpp"

namespace wan::checkpoint {

Place place_of(const std::string& text) {
  const std::filesystem::path path = std::filesystem::path(text + "/").lexically_normal().parent_path();
  const std::optional<std::int64_t> step = step_of(path.filename());
  if (!step) return {text, std::nullopt};
  return {path.has_parent_path() ? path.parent_path().string() : ".", step};
}

std::optional<Checkpoint> open_place(const Communicator& comm, const std::string& path,
                                     const Wanted& wanted) {
  const Place place = place_of(path);
  if (!place.step) return open_newest(comm, place.run, wanted);
  if (wanted.step >= 0 && wanted.step != *place.step) {
    throw UsageError(cat(path, " is the checkpoint of one step, found ", wanted.step, " asked for"));
  }
  Wanted exactly = wanted;
  exactly.step = *place.step;
  return open_newest(comm, place.run, exactly);
}

}  // namespace wan::checkpoint

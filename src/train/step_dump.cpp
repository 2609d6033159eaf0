#include "train/step_dump.hpp"

#include <cstdio>
#include <filesystem>

#include "base/error.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"

namespace wan {
namespace {

constexpr const char* micro_batch_prefix = "microbatch";

/// Of a step with fewer micro batches than the one dumped before: its other folders would be taken for parts
/// of this dump.
void remove_earlier(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (name == "parameters" || name.rfind(micro_batch_prefix, 0) == 0) {
      std::filesystem::remove_all(entry.path(), error);
      if (error) throw IoError(entry.path(), error.value(), "cannot remove an earlier dump");
    }
  }
}

std::string micro_batch_name(std::int64_t place) {
  char text[32];
  std::snprintf(text, sizeof text, "%s%04lld", micro_batch_prefix, static_cast<long long>(place));
  return text;
}

}  // namespace

StepDump::StepDump(Device& device, std::string folder, const Mesh& mesh)
    : device_(device),
      folder_(std::move(folder)),
      next_(mesh.place.dp),
      ranks_(mesh.sizes.dp),
      first_rank_(mesh.world.rank() == 0) {
  do_together(mesh.world, [&] {
    if (first_rank_) remove_earlier(folder_);
  });
}

Dump* StepDump::next_micro_batch() {
  micro_batch_ = std::make_unique<Dump>(device_, cat(folder_, "/", micro_batch_name(next_)));
  next_ += ranks_;
  return micro_batch_.get();
}

void StepDump::write_gradients(const Parameters& parameters, ZeroOptimizer& optimizer) {
  optimizer.gather_gradients();
  if (!first_rank_) return;
  Dump dump(device_, folder_ + "/parameters");
  for (const ParameterUnit& unit : parameters.units()) {
    for (std::size_t i = 0; i < unit.parameters().size(); ++i) {
      const Tensor gradient = unit.gradient(static_cast<int>(i));
      if (gradient) dump.write(unit.parameters()[i].spec.name + ".grad", gradient);
    }
  }
}

}  // namespace wan

#include "train/config_agreement.hpp"

#include "comm/agree.hpp"
#include "config/train_config_io.hpp"
#include "config/yaml_reader.hpp"

namespace wan {

void require_same_config(const Communicator& world, const TrainConfig& config) {
  const std::string mine = dump_yaml(config);
  const std::int64_t differing = broadcast_text(world, mine) == mine ? 0 : 1;
  if (max_over(world, differing) == 0) return;
  for (const Setting& setting : parse_yaml(mine, "the resolved configuration")) {
    require_agreement(world, setting.key, yaml_text(setting.value));
  }
}

}  // namespace wan

#include "config/train_config.hpp"

namespace wan {

void apply_preset(TrainConfig& config, TrainingMode mode) {
  TrainConfig::FlowMatching& flow = config.flow_matching;
  if (mode == TrainingMode::pretrain) {
    flow.timestep_sampling = TimestepSampling::logit_normal;
    flow.logit_mean = 0.0;
    flow.logit_std = 1.5;
    flow.flow_shift = 2.5;
    flow.mix_uniform_ratio = 0.2;
  } else {
    flow.timestep_sampling = TimestepSampling::uniform;
    flow.logit_mean = 0.0;
    flow.logit_std = 1.0;
    flow.flow_shift = 3.0;
    flow.mix_uniform_ratio = 0.1;
  }
}

}  // namespace wan

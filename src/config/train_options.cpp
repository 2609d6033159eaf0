#include "config/train_options.hpp"

#include "base/text.hpp"

namespace wan {

Invocation<TrainOptions> parse_train_options(const std::vector<std::string>& arguments) {
  Invocation<TrainOptions> out;
  TrainConfigSource& source = out.options.source;
  std::optional<std::string> print;
  std::optional<std::int64_t> random_weights;
  CommandLine line(
      "wan-train", "[flags] [group.key=value ...]",
      "Trains a Wan 2.1 diffusion transformer on what wan-prep wrote. Overrides win over the run file.");
  line.flag("training-mode", source.mode, "preset of the flow_matching keys")
      .flag("config-file", source.file, "run file in YAML, such as inputs/wan_1_3B.yaml")
      .flag("mock", source.mock, "train on random latents and texts of the dataset.*_latents sizes")
      .flag("random-weights", random_weights, at_least(0), "seed",
            "measure speed from random weights: rng.seed of this value and no pretrained checkpoint")
      .flag("print", print, "print a key's value, or the whole resolved configuration with 'all', and leave")
      .flag("dry-run", out.options.dry_run,
            "check run file and data, print what the run would take, and leave; needs no device")
      .flag("dump", out.options.dump, "folder for every activation and gradient, of the first step")
      .flag("reference", out.options.reference, "compute with the slow, obvious ops that tests compare with")
      .ignore("debug", "every run logs what it does")
      .remaining(source.overrides)
      .epilogue("\nkeys of the run file, each with its default:\n" + train_config_help());
  out.text = line.parse(arguments, out.notices);
  if (random_weights) {
    source.overrides.push_back(cat("rng.seed=", *random_weights));
    source.overrides.emplace_back("checkpoint.pretrained_checkpoint=null");
  }
  if (out.text.empty() && print) out.text = config_text(load_train_config(source, 1).config, *print);
  return out;
}

}  // namespace wan

#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/choices.hpp"
#include "config/command_line.hpp"

namespace wan {

/// How a model lies on disk; automatic: the one that is most wanted of what there is.
enum class ModelFormat { automatic, diffusers, official, checkpoint };
/// Storage of converted weights; keep: as they are.
enum class ConvertStorage { keep, fp32, bf16 };
template <>
const std::vector<Choice<ModelFormat>>& choices_of();
template <>
const std::vector<Choice<ConvertStorage>>& choices_of();

/// What wan-convert is asked to do.
struct ConvertOptions {
  std::string from;
  std::string to;
  ModelFormat to_format = ModelFormat::automatic;
  ConvertStorage dtype = ConvertStorage::keep;
  WeightChoice weights = WeightChoice::automatic;
  std::optional<std::int64_t> step;
  std::optional<std::string> model;
  std::int64_t max_shard_bytes = 5'000'000'000;
  bool dry_run = false;
};

/// The flags of wan-convert. Throws UsageError.
[[nodiscard]] Invocation<ConvertOptions> parse_convert_options(const std::vector<std::string>& arguments);

/// "5GB", "800 MiB", "1000": bytes, with units of 1000 or, written with an i, of 1024. Throws UsageError.
[[nodiscard]] std::int64_t parse_bytes(const std::string& flag, const std::string& text);

}  // namespace wan

#include "config/convert_options.hpp"

#include <array>
#include <cctype>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "config/value.hpp"

namespace wan {
namespace {

constexpr std::array<std::pair<const char*, double>, 9> units = {{{"", 1},
                                                                  {"kb", 1e3},
                                                                  {"mb", 1e6},
                                                                  {"gb", 1e9},
                                                                  {"tb", 1e12},
                                                                  {"kib", 1024.0},
                                                                  {"mib", 1024.0 * 1024},
                                                                  {"gib", 1024.0 * 1024 * 1024},
                                                                  {"tib", 1024.0 * 1024 * 1024 * 1024}}};

}  // namespace

template <>
const std::vector<Choice<ModelFormat>>& choices_of<ModelFormat>() {
  static const std::vector<Choice<ModelFormat>> choices = {
      {ModelFormat::automatic, "auto", {}},
      {ModelFormat::diffusers, "diffusers", {}},
      {ModelFormat::official, "official", {}},
      {ModelFormat::checkpoint, "checkpoint", {}},
  };
  return choices;
}

template <>
const std::vector<Choice<ConvertStorage>>& choices_of<ConvertStorage>() {
  static const std::vector<Choice<ConvertStorage>> choices = {
      {ConvertStorage::keep, "keep", {}},
      {ConvertStorage::fp32, "fp32", {"float32"}},
      {ConvertStorage::bf16, "bf16", {"bfloat16"}},
  };
  return choices;
}

std::int64_t parse_bytes(const std::string& flag, const std::string& text) {
  const std::size_t end = text.find_last_of("0123456789.") + 1;
  std::string unit(trim(std::string_view(text).substr(end)));
  for (char& c : unit) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  Value number;
  number.text = text.substr(0, end);
  const std::optional<double> count = as_real(number);
  for (const auto& [name, factor] : units) {
    if (unit != name || !count) continue;
    const double bytes = *count * factor;
    constexpr double most = 1e18;
    if (bytes >= 1 && bytes <= most) return std::llround(bytes);
  }
  throw UsageError(cat("--", flag, ": found '", text, "', allowed: bytes such as 5GB, 800MB or 2GiB"));
}

Invocation<ConvertOptions> parse_convert_options(const std::vector<std::string>& arguments) {
  Invocation<ConvertOptions> out;
  ConvertOptions& o = out.options;
  std::string shard = "5GB";
  CommandLine line(
      "wan-convert", "--from SRC --to DST [flags]",
      "Converts a model between the layouts of diffusers, of the official Wan 2.1 repositories and of "
      "this suite's checkpoints, bit for bit. One process; needs no GPU.");
  line.flag("from", o.from,
            "model folder or public id (diffusers), folder of an official repository, run folder of "
            "wan-train or one "
            "of its iterations; which it is, is found out")
      .required()
      .flag("to", o.to, "folder to make; must not exist")
      .required()
      .flag("to-format", o.to_format, "layout of --to; auto: a checkpoint from diffusers, else diffusers")
      .flag("dtype", o.dtype,
            "storage of the transformer's weights; keep: as they are (a checkpoint widens fp16 to fp32); "
            "bf16 leaves in fp32 what wan-train does. VAE and text encoder stay as they are")
      .flag("weights", o.weights,
            "of a checkpoint, averaged or raw weights; auto: averaged where there are any")
      .flag("step", o.step, at_least(0), "steps",
            "which iteration of a run folder; null: the newest good one")
      .flag("model", o.model,
            "model folder whose VAE, text encoder and tokenizer go with the transformer; null: those that a "
            "checkpoint recorded or that lie beside official weights")
      .flag("max-shard-size", shard, "largest safetensors file, such as 5GB or 800MiB")
      .flag("dry-run", o.dry_run, "check everything and say what would be written");
  out.text = line.parse(arguments, out.notices);
  if (out.text.empty()) o.max_shard_bytes = parse_bytes("max-shard-size", shard);
  return out;
}

}  // namespace wan

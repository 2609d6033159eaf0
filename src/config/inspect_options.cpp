#include "config/inspect_options.hpp"

#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

constexpr const char* overview =
    "usage: wan-inspect plan|checkpoint|dataset [flags] ...\n"
    "Looks at run files, runs and data sets; writes nothing and needs no GPU.\n\n"
    "  plan RUNFILE [key=value ...]  memory by kind, work and the fastest recompute policy that fits\n"
    "  checkpoint RUN [--verify]     the iterations of a run folder\n"
    "  dataset FOLDER [--verify]     what a data set holds\n\n"
    "wan-inspect SUBJECT --help lists a subject's flags.\n";

/// The one token that names what to look at.
std::string only_path(const std::vector<std::string>& tokens, const char* what) {
  if (tokens.size() != 1) {
    throw UsageError(cat("found ", tokens.size(), " paths, allowed: one, ", what));
  }
  return tokens.front();
}

void parse_plan(const std::vector<std::string>& arguments, Invocation<InspectOptions>& out) {
  InspectOptions& o = out.options;
  std::vector<std::string> tokens;
  CommandLine line("wan-inspect plan", "[flags] [RUNFILE] [group.key=value ...]",
                   "Memory of a training run by kind, work of a step, and the fastest recompute policy that "
                   "fits, for packs as large as the data make them.");
  line.flag("training-mode", o.source.mode, "preset of the flow_matching keys")
      .flag("mock", o.source.mock, "plan for random latents of the dataset.*_latents sizes")
      .flag("ranks", o.ranks, within(1, 1e6), "ranks", "ranks that share the optimizer's state")
      .flag("gpu", o.gpu, "h100 or h200: gives its memory and predicts the time of a step")
      .flag("gpu-memory", o.gpu_memory, above(0), "GiB", "memory of one GPU; null: that of --gpu")
      .remaining(tokens);
  out.text = line.parse(arguments, out.notices);
  for (std::string& token : tokens) {
    if (token.find('=') != std::string::npos) {
      o.source.overrides.push_back(std::move(token));
    } else if (o.source.file.empty()) {
      o.source.file = std::move(token);
    } else {
      throw UsageError(cat("found the run files ", o.source.file, " and ", token, ", allowed: one"));
    }
  }
}

void parse_folder(const std::vector<std::string>& arguments, const char* program, const char* usage,
                  const char* summary, Invocation<InspectOptions>& out) {
  std::vector<std::string> tokens;
  CommandLine line(program, usage, summary);
  line.flag("verify", out.options.verify, "read everything and compare it with the hashes that were recorded")
      .remaining(tokens);
  out.text = line.parse(arguments, out.notices);
  if (out.text.empty()) out.options.path = only_path(tokens, usage);
}

}  // namespace

Invocation<InspectOptions> parse_inspect_options(const std::vector<std::string>& arguments) {
  Invocation<InspectOptions> out;
  const std::string subject = arguments.empty() ? "--help" : arguments.front();
  const std::vector<std::string> rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (subject == "--help") {
    out.text = overview;
  } else if (subject == "--version") {
    CommandLine line("wan-inspect", "", "");
    out.text = line.parse(arguments, out.notices);
  } else if (subject == "plan") {
    parse_plan(rest, out);
  } else if (subject == "checkpoint") {
    out.options.subject = InspectSubject::checkpoint;
    parse_folder(rest, "wan-inspect checkpoint", "RUN [--verify]", "Lists the iterations of a run folder.",
                 out);
  } else if (subject == "dataset") {
    out.options.subject = InspectSubject::dataset;
    parse_folder(rest, "wan-inspect dataset", "FOLDER [--verify]", "Says what a data set holds.", out);
  } else {
    throw UsageError(cat("wan-inspect: found ", subject,
                         ", allowed: plan, checkpoint, dataset, --help, --version; the nearest is ",
                         nearest(subject, {"plan", "checkpoint", "dataset", "--help", "--version"})));
  }
  return out;
}

}  // namespace wan

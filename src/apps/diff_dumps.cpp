#include <cstdio>

#include "apps/program.hpp"
#include "base/text.hpp"
#include "model/dump_compare.hpp"

namespace {

struct Options {
  std::vector<std::string> folders;
  double tolerance = 1e-5;
};

/// Exit code where the dumps differ, as diff's.
constexpr int differing = 1;

std::string parse(const std::vector<std::string>& arguments, Options& options) {
  wan::CommandLine line(
      "wan-diff-dumps", "DUMP REFERENCE [flags]",
      "Compares what two runs wrote with --dump, or one folder of each, tensor by tensor in "
      "the order of computation: name, elements, largest absolute and relative L2 "
      "difference, then the first tensor that differs. Exit code 1 if one does.");
  line.remaining(options.folders)
      .flag("tolerance", options.tolerance, wan::at_least(0), "", "largest relative L2 difference allowed");
  std::vector<std::string> notices;
  std::string text = line.parse(arguments, notices);
  if (text.empty() && options.folders.size() != 2) {
    throw wan::UsageError(wan::cat("found ", options.folders.size(), " folders, allowed: DUMP REFERENCE"));
  }
  return text;
}

int compare(const Options& options) {
  const wan::DumpDifference* first = nullptr;
  const auto differences = wan::compare_dumps(options.folders[0], options.folders[1]);
  for (const wan::DumpDifference& d : differences) {
    if (d.mismatch.empty()) {
      std::printf("%-48s %10lld  max %.3e  relative %.3e\n", d.name.c_str(),
                  static_cast<long long>(d.elements), d.max_abs, d.relative_l2);
    } else {
      std::printf("%-48s %s\n", d.name.c_str(), d.mismatch.c_str());
    }
    const bool agrees = d.mismatch.empty() && d.relative_l2 <= options.tolerance;
    if (first == nullptr && !agrees) first = &d;
  }
  if (first == nullptr) {
    std::printf("%zu tensors agree to %.1e\n", differences.size(), options.tolerance);
    return static_cast<int>(wan::ExitCode::done);
  }
  std::printf("first to differ: %s\n", first->name.c_str());
  return differing;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  int code = 0;
  if (wan::ends_before_start([&] { return parse(wan::arguments_of(argc, argv), options); }, code))
    return code;
  try {
    return compare(options);
  } catch (const wan::Error& error) {
    wan::log::error(error.what());
    return static_cast<int>(error.code());
  }
}

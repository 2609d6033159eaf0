// parity [--precision fp32|bf16] [--reference] CASE_DIR...
// Runs reference cases through the code that the programs use, the same on every rank. The last line is
// "N passed, N failed"; exit status 1 if anything failed on any rank, 65 if a case cannot be read.
#include <cstdio>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "device/open_device.hpp"
#include "parity/kinds.hpp"
#include "runtime/run_main.hpp"

namespace {

using namespace wan;
using namespace wan::parity;

struct Kind {
  const char* name;
  void (*run)(const Case&, Report&);
};

constexpr Kind kinds[] = {
    {"dit", run_dit}, {"sampler", run_sampler}, {"text", run_umt5}, {"tokenizer", run_tokenizer},
    {"vae", run_vae},
};

struct Arguments {
  Precision precision = Precision::fp32;
  bool reference = false;
  std::vector<std::string> folders;
};

Arguments parse(int count, char** words) {
  Arguments out;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--precision") {
      const std::string value = i + 1 < count ? words[++i] : "";
      if (value != "fp32" && value != "bf16") {
        throw UsageError("--precision is '" + value + "', allowed: fp32, bf16");
      }
      out.precision = value == "fp32" ? Precision::fp32 : Precision::bf16;
    } else if (word == "--reference") {
      out.reference = true;
    } else if (word.rfind("--", 0) == 0) {
      throw UsageError(word + " is not an option; allowed: --precision, --reference");
    } else {
      out.folders.push_back(word);
    }
  }
  if (out.folders.empty())
    throw UsageError("usage: parity [--precision fp32|bf16] [--reference] CASE_DIR...");
  return out;
}

const Kind& kind_of(const Case& which) {
  std::vector<std::string> known;
  for (const Kind& kind : kinds) {
    if (which.kind() == kind.name) return kind;
    known.emplace_back(kind.name);
  }
  throw Error(ExitCode::data, "kind is '" + which.kind() + "', known: " + join(known, ", "));
}

/// Whatever a case's files lack or get wrong ends as DataError: exit status 65.
void run_case(const std::string& folder, const Arguments& arguments, Device& device, Report& report) {
  const std::string file = folder + "/case.json";
  try {
    const Case which{folder, Json::parse_file(file), arguments.precision, device};
    kind_of(which).run(which, report);
  } catch (const DataError&) {
    throw;
  } catch (const Error& error) {
    const bool about_the_case = error.code() == ExitCode::data || error.code() == ExitCode::no_input ||
                                error.code() == ExitCode::config;
    if (!about_the_case) throw;
    throw DataError(file, error.what());
  }
}

ExitCode run(const Runtime& runtime, const Arguments& arguments) {
  DeviceOptions options;
  options.threads = runtime.threads();
  options.reference = arguments.reference;
  options.index = runtime.local_rank();
  const std::unique_ptr<Device> device = open_device(options);
  Report report(runtime.rank() == 0);
  for (const std::string& folder : arguments.folders) run_case(folder, arguments, *device, report);
  const std::int64_t failed = sum_over(runtime.world(), report.failed());
  if (runtime.rank() == 0) {
    std::printf("%ld passed, %ld failed\n", static_cast<long>(report.passed()), static_cast<long>(failed));
  }
  return failed == 0 ? ExitCode::done : static_cast<ExitCode>(1);
}

}  // namespace

int main(int count, char** words) {
  return run_main([&](Runtime& runtime) { return run(runtime, parse(count, words)); });
}

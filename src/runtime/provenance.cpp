#include "runtime/provenance.hpp"

#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>

#include "base/file.hpp"
#include "base/text.hpp"
#include "runtime/cores.hpp"

namespace wan {
namespace {

std::string cpu_model() {
  try {
    for (const std::string& line : split(read_file("/proc/cpuinfo"), '\n')) {
      const std::size_t colon = line.find(':');
      if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
        return std::string(trim(std::string_view(line).substr(colon + 1)));
      }
    }
  } catch (const Error&) {
    // Not a Linux that tells.
  }
  return "unknown";
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace

std::string suite_version() {
  return WAN_SUITE_VERSION;
}

Json provenance_of(const Runtime& runtime, const std::vector<std::string>& command_line) {
  std::map<std::string, std::int64_t> ranks_of_host;
  for (const std::string& host : gather_texts(runtime.world(), runtime.host())) ++ranks_of_host[host];
  Json hosts;
  for (const auto& [host, ranks] : ranks_of_host) hosts.set(host, ranks);
  Json command;
  for (const std::string& word : command_line) command.push(word);
  Json scheduler = Json(Json::Object{});
  for (const char* name : {"SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_RESTART_COUNT", "SLURM_JOB_PARTITION",
                           "SLURM_JOB_NODELIST", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"}) {
    if (const char* value = std::getenv(name)) scheduler.set(name, value);
  }
  std::error_code error;
  Json json;
  json.set("time", utc_now());
  json.set("version", suite_version());
  json.set("compiler", cat(WAN_COMPILER));
  json.set("mpi", Runtime::mpi_version());
  json.set("command", command);
  json.set("folder", std::filesystem::current_path(error).string());
  json.set("ranks", runtime.size());
  json.set("threads_per_rank", runtime.threads());
  json.set("hosts", hosts);
  json.set("cpu", cpu_model());
  json.set("cores", cores_allowed());
  json.set("scheduler", scheduler);
  return json;
}

}  // namespace wan

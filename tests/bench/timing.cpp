#include "bench/timing.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <sstream>

namespace wan::bench {
namespace {

void print(const Json& answer) {
  std::printf("%s\n", answer.dump().c_str());
  std::fflush(stdout);
}

}  // namespace

std::vector<double> times_ms(Device& device, int warm_up, int runs, const std::function<void()>& step) {
  std::vector<double> out;
  device.synchronize();
  for (int run = 0; run < warm_up + runs; ++run) {
    const auto start = std::chrono::steady_clock::now();
    step();
    device.synchronize();
    const double ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    if (run >= warm_up) out.push_back(ms);
  }
  return out;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Json to_json(const std::vector<double>& values) {
  Json out = Json(Json::Array{});
  for (const double value : values) out.push(value);
  return out;
}

double device_gib(const Device& device) {
  const DeviceMemory memory = device.memory().value_or(DeviceMemory());
  return static_cast<double>(memory.total - memory.free) / (1024.0 * 1024.0 * 1024.0);
}

void serve(const std::function<Json(const std::vector<std::string>&)>& measure) {
  print(Json().set("ready", true));
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::vector<std::string> arguments;
    for (std::string word; words >> word;) arguments.push_back(word);
    print(measure(arguments));
  }
}

}  // namespace wan::bench

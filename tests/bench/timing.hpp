#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "device/device.hpp"

namespace wan::bench {

/// Milliseconds of `runs` calls of `step` in turn, each from an idle device to an idle device, after
/// `warm_up` calls that are not counted.
[[nodiscard]] std::vector<double> times_ms(Device& device, int warm_up, int runs,
                                           const std::function<void()>& step);

/// The middle one (the upper of two), of at least one.
[[nodiscard]] double median(std::vector<double> values);

[[nodiscard]] Json to_json(const std::vector<double>& values);

/// GiB of a GPU's memory that are in use now, by this process and others; 0 on the host.
[[nodiscard]] double device_gib(const Device& device);

/// Calls `measure` with the words of every line of standard input and prints what it returns as one line,
/// until the input ends. First says {"ready":true}, so that the caller knows when set-up is over.
void serve(const std::function<Json(const std::vector<std::string>&)>& measure);

}  // namespace wan::bench

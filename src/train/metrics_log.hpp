#pragma once
#include <cstdint>
#include <string>

#include "base/append_file.hpp"
#include "base/json.hpp"
#include "train/event_file.hpp"

namespace wan {

/// What a run leaves of its course: one JSON object a line in metrics.jsonl and the same numbers as
/// TensorBoard events. Written by rank 0 only. A full disk delays lines and ends nothing (AppendFile).
class MetricsLog {
 public:
  /// Continues `run_folder`'s log after `last_step`: lines of later steps, left by a run that was stopped
  /// after its last checkpoint, are removed, so that a resumed run's log equals an uninterrupted one's.
  /// Throws CreateError, IoError.
  MetricsLog(const std::string& run_folder, const std::string& tensorboard_folder, std::int64_t last_step);

  /// `values` is an object with an integer member "step"; its other numbers become scalars "<group>/<key>".
  void add(const std::string& group, const Json& values);

 private:
  AppendFile lines_;
  EventFile events_;
};

}  // namespace wan

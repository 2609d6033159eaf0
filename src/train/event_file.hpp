#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/append_file.hpp"

namespace wan {

/// A TensorBoard event file: TFRecord framing (length, masked CRC-32C, data) around tensorflow.Event messages
/// (tensorflow/core/util/event.proto, tensorflow/core/lib/io/record_writer.cc).
class EventFile {
 public:
  /// Creates `folder`/events.out.tfevents.<seconds>.<host>.<process>. Readers drop what earlier files of the
  /// folder hold from `first_step` on. Throws CreateError.
  EventFile(const std::string& folder, std::int64_t first_step);

  void scalar(std::string_view tag, std::int64_t step, double value);
  void flush() { file_.flush(); }

 private:
  void write(const std::string& event);

  AppendFile file_;
};

/// CRC-32C (Castagnoli, reflected 0x82f63b78) of a byte string.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

}  // namespace wan

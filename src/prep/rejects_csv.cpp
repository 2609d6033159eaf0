#include "prep/rejects_csv.hpp"

#include "base/file.hpp"
#include "base/text.hpp"

namespace wan {
namespace {

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string out = "\"";
  for (const char c : field) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

}  // namespace

void write_rejects_csv(const std::string& path, const std::vector<Rejection>& rejections) {
  std::string text = "source,frame_start,reason,detail\n";
  for (const Rejection& rejection : rejections) {
    const std::size_t colon = rejection.reason.find(':');
    const std::string reason = rejection.reason.substr(0, colon);
    const std::string detail =
        colon == std::string::npos ? "" : std::string(trim(rejection.reason.substr(colon + 1)));
    text += cat(quoted(rejection.source), ",",
                rejection.frame_start < 0 ? std::string() : std::to_string(rejection.frame_start), ",",
                quoted(reason), ",", quoted(detail), "\n");
  }
  write_file_atomically(path, text);
}

}  // namespace wan

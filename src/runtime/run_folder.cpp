#include "runtime/run_folder.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "runtime/provenance.hpp"

namespace wan {

RunFolder::RunFolder(Runtime& runtime, std::string path, const std::vector<std::string>& command_line,
                     const LockOptions& options)
    : path_(std::move(path)) {
  do_together(runtime.world(), [&] {
    if (runtime.rank() != 0) return;
    make_folders(file("log"));
    lock_ = std::make_unique<RunLock>(file("lock"), this_process(), options);
  });
  const Json provenance = provenance_of(runtime, command_line);
  do_together(runtime.world(), [&] {
    log::open_file(file(cat("log/rank", runtime.rank(), ".txt")));
    if (runtime.rank() != 0) return;
    std::ofstream out(file("provenance.jsonl"), std::ios::app);
    out << provenance.dump() << "\n";
    if (!out.flush()) throw IoError(file("provenance.jsonl"), errno, "cannot append");
  });
}

bool RunFolder::time_to_look() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_look_ < std::chrono::seconds(1)) return false;
  last_look_ = now;
  return true;
}

Requests poll_requests(const Runtime& runtime, RunFolder& folder) {
  enum { by_signal, by_file, save, lost, all };
  std::array<std::int64_t, all> asked{};
  asked[by_signal] = runtime.signals().stop_asked() ? 1 : 0;
  if (runtime.rank() == 0) asked[lost] = folder.lost() ? 1 : 0;
  if (runtime.rank() == 0 && folder.time_to_look()) {
    // Removing is the test: it also makes sure that each request is seen once.
    asked[by_file] = ::unlink(folder.file("STOP").c_str()) == 0 ? 1 : 0;
    asked[save] = ::unlink(folder.file("SAVE_NOW").c_str()) == 0 ? 1 : 0;
  }
  runtime.world().all_reduce(Tensor(asked.data(), DType::i64, {all}), Reduce::max).wait();
  Requests requests;
  requests.stop_by_signal = asked[by_signal] != 0;
  requests.stop_by_file = asked[by_file] != 0;
  requests.save = asked[save] != 0;
  requests.folder_lost = asked[lost] != 0;
  return requests;
}

}  // namespace wan

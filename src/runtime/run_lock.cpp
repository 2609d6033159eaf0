#include "runtime/run_lock.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/agree.hpp"

namespace wan {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void sleep_s(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

/// What the lock file says now; nothing if it is empty (never held, or released) or half written.
struct Line {
  LockOwner owner;
  std::int64_t beat = 0;
};

std::optional<Line> read_line(const std::string& file) {
  try {
    const std::string text = read_file(file, 1 << 16);
    if (trim(text).empty()) return std::nullopt;
    const Json json = Json::parse(text, file);
    Line line;
    line.owner.job = json.at("job").as_string();
    line.owner.host = json.at("host").as_string();
    line.owner.machine = json.at("machine").as_string();
    line.owner.pid = json.at("pid").as_integer();
    line.owner.token = json.at("token").as_string();
    line.beat = json.at("beat").as_integer();
    return line;
  } catch (const Error&) {
    return std::nullopt;
  }
}

enum class Flock { taken, busy, unsupported };

Flock try_flock(int descriptor) {
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    return errno == EWOULDBLOCK ? Flock::busy : Flock::unsupported;
  }
  return Flock::taken;
}

/// Whether the process that wrote `line` still lives, as far as this one can tell. Takes up to `stale_s` when
/// the owner is on another machine.
bool owner_lives(const std::string& file, const Line& line, Flock flock, const LockOwner& self,
                 double stale_s) {
  if (flock == Flock::busy) return true;
  if (line.owner.machine == self.machine) {
    // The kernel gave us the lock, so its holder is gone; without flock, the process table tells.
    return flock == Flock::unsupported &&
           (::kill(static_cast<pid_t>(line.owner.pid), 0) == 0 || errno == EPERM);
  }
  const Clock::time_point begin = Clock::now();
  while (seconds_since(begin) < stale_s) {
    sleep_s(std::min(0.5, stale_s / 10));
    const std::optional<Line> now = read_line(file);
    if (!now) return false;
    if (now->beat != line.beat || now->owner.token != line.owner.token) return true;
  }
  return false;
}

std::string described(const LockOwner& owner) {
  return cat(owner.job.empty() ? std::string("a process") : cat("job ", owner.job), " (pid ", owner.pid,
             " on ", owner.host, ")");
}

std::string first_line_of(const char* path) {
  try {
    return std::string(trim(read_file(path, 1 << 16)));
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

LockOwner this_process() {
  LockOwner self;
  if (const char* job = std::getenv("SLURM_JOB_ID")) self.job = job;
  self.host = host_name();
  std::error_code error;
  const std::string space = std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
  self.machine = cat(self.host, " ", first_line_of("/proc/sys/kernel/random/boot_id"), " ", space);
  self.pid = ::getpid();
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  self.token = to_hex(bytes_hash(cat(self.machine, " ", self.pid, " ", now)));
  return self;
}

RunLock::RunLock(std::string file, LockOwner self, const LockOptions& options)
    : file_(std::move(file)), self_(std::move(self)), options_(options) {
  descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw CreateError(file_, std::strerror(errno));
  try {
    const Clock::time_point begin = Clock::now();
    for (;;) {
      const Flock flock = try_flock(descriptor_);
      const std::optional<Line> line = read_line(file_);
      const bool free =
          line ? !owner_lives(file_, *line, flock, self_, options_.stale_s) : flock != Flock::busy;
      if (free) {
        if (line) log::warn(cat(file_, ": taken over from ", described(line->owner), ", which is gone"));
        write_line(0);
        if (flock == Flock::taken && (!line || line->owner.machine == self_.machine)) break;
        // Another machine may have come to the same conclusion at the same time: the last to write has it.
        sleep_s(std::min(1.0, options_.stale_s / 10));
        const std::optional<Line> now = read_line(file_);
        if (now && now->owner.token == self_.token) break;
        continue;
      }
      if (flock == Flock::taken) ::flock(descriptor_, LOCK_UN);
      const bool same_job = line && !self_.job.empty() && line->owner.job == self_.job;
      const double patience =
          same_job ? std::max(options_.wait_s, options_.same_job_wait_s) : options_.wait_s;
      if (seconds_since(begin) >= patience) {
        throw Error(
            ExitCode::requeue,
            cat(file_, ": the run folder is in use by ", line ? described(line->owner) : "another process",
                "; one job at a time may write to it. Wait for that job, end it, or use another folder"));
      }
      sleep_s(0.2);
    }
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
  thread_ = std::thread([this] { keep(); });
}

RunLock::~RunLock() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
  // An empty file is a free lock. If emptying fails, the next process finds this one gone.
  if (!lost_ && ::ftruncate(descriptor_, 0) != 0)
    log::warn(cat(file_, ": cannot release: ", std::strerror(errno)));
  ::close(descriptor_);
}

bool RunLock::lost() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return lost_;
}

void RunLock::write_line(std::int64_t beat) const {
  Json json;
  json.set("job", self_.job).set("host", self_.host).set("machine", self_.machine).set("pid", self_.pid);
  json.set("token", self_.token).set("beat", beat);
  const std::string text = json.dump() + "\n";
  const auto length = static_cast<ssize_t>(text.size());
  if (::pwrite(descriptor_, text.data(), text.size(), 0) != length || ::ftruncate(descriptor_, length) != 0) {
    throw IoError(file_, errno, "cannot write the lock");
  }
  ::fsync(descriptor_);
}

void RunLock::keep() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (std::int64_t beat = 1; !ending_; ++beat) {
    changed_.wait_for(lock, std::chrono::duration<double>(options_.heartbeat_s));
    if (ending_ || lost_) continue;
    const std::optional<Line> line = read_line(file_);
    if (line && line->owner.token != self_.token) {
      lost_ = true;
      log::error(cat(file_, ": taken over by ", described(line->owner), "; this process writes no more"));
      continue;
    }
    try {
      write_line(beat);
    } catch (const Error& error) {
      // A full disk must not end the run: others then see an old heartbeat, and flock still holds.
      log::warn(error.what());
    }
  }
}

}  // namespace wan

#pragma once
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace wan {

/// Ends the process (exit code 80) when a thread that it watches shows no sign of life within its limit: a
/// hang in a library, a peer that is gone, a file system that does not answer.
class Watchdog {
 public:
  using Alarm = std::function<void(const std::string& section, double silent_s)>;

  /// `alarm` is called on the watchdog's own thread; the default is made by exit_on_hang.
  explicit Watchdog(Alarm alarm);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  struct State;

  /// One watched thread. Entering a section is a sign of life; limit 0 pauses the watch. Destroying it ends
  /// the watch.
  class Watch {
   public:
    Watch(Watchdog& dog, std::string section, double limit_s);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void enter(const std::string& section);
    void enter(const std::string& section, double limit_s);
    /// Still alive in the same section.
    void beat();

   private:
    Watchdog& dog_;
    std::list<State>::iterator state_;
  };

 private:
  void watch();

  Alarm alarm_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<State> states_;
  bool ending_ = false;
  std::thread thread_;
};

/// An alarm that prints one line naming section, rank and host, and leaves the process at once with exit
/// code 80. Nothing else is safe then: the main thread may hold any lock, MPI's included.
[[nodiscard]] Watchdog::Alarm exit_on_hang(int rank, std::string host);

}  // namespace wan

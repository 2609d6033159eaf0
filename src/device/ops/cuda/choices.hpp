#pragma once
#include <map>
#include <optional>
#include <string>

namespace wan::cuda {

/// What was found to be fastest on this GPU with these libraries. Kept in a file, so that a later process
/// need not try again; the file is a cache and may be removed at any time.
class Choices {
 public:
  /// Reads `path` if it is there; with an empty path nothing outlives the process. With `race_all` problems
  /// of any size are worth a race.
  explicit Choices(std::string path, bool race_all = false);
  /// Writes what is new, together with what other processes have written meanwhile.
  ~Choices();
  Choices(const Choices&) = delete;
  Choices& operator=(const Choices&) = delete;

  /// Whether a problem of `flops` is to be raced, where its kind pays from `least` on.
  [[nodiscard]] bool worth_a_race(double flops, double least) const { return race_all_ || flops >= least; }

  /// Values come from a file, so the caller checks that they still make sense.
  [[nodiscard]] std::optional<std::string> find(const std::string& key) const;
  /// Neither holds a tab or a newline.
  void keep(const std::string& key, const std::string& value);

 private:
  std::string path_;
  bool race_all_;
  std::map<std::string, std::string> known_;
  bool is_new_ = false;
};

/// Where choices of this GPU and these versions of cuBLASLt and cuDNN are kept: below $XDG_CACHE_HOME or
/// ~/.cache; empty if neither is set.
[[nodiscard]] std::string choices_path(const std::string& gpu_name);

}  // namespace wan::cuda

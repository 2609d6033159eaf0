#pragma once
#include <string>

namespace wan {

/// A folder that appears under its name only when it is whole. It is filled as NAME.tmp; `commit` syncs and
/// renames it. Without commit it is removed. What a killed process left of its own is taken over; the lock
/// tells it from one that is still writing.
class DraftFolder {
 public:
  /// Throws CreateError if `name` exists, if another process is writing it, or if NAME.tmp is there and is
  /// none of these.
  explicit DraftFolder(std::string name);
  ~DraftFolder();
  DraftFolder(const DraftFolder&) = delete;
  DraftFolder& operator=(const DraftFolder&) = delete;

  /// Where to write.
  [[nodiscard]] const std::string& path() const { return draft_; }
  /// Throws CreateError if the name is taken meanwhile, IoError.
  void commit();

 private:
  std::string name_;
  std::string draft_;
  int lock_ = -1;
};

/// Throws CreateError if `name` exists: nothing is ever replaced.
void require_absent(const std::string& name);

}  // namespace wan

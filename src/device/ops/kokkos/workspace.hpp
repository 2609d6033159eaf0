#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace wan {

/// Scratch memory of ops, in the memory of Kokkos' default execution space. It grows to what the largest op
/// needs and is then handed out again and again, so that a step in its stride allocates nothing.
class Workspace {
 public:
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();

  /// Undefined content, aligned to 256 bytes, valid until the innermost open scope ends.
  [[nodiscard]] void* take(std::int64_t bytes);
  [[nodiscard]] float* floats(std::int64_t count) { return static_cast<float*>(take(4 * count)); }

  /// When a scope ends, all that was taken in it is given back.
  class Scope {
   public:
    explicit Scope(Workspace& workspace)
        : workspace_(workspace), current_(workspace.current_), used_(workspace.used_) {
      ++workspace_.open_scopes_;
    }
    ~Scope() {
      workspace_.current_ = current_;
      workspace_.used_ = used_;
      if (--workspace_.open_scopes_ == 0) workspace_.merge();
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Workspace& workspace_;
    std::size_t current_;
    std::int64_t used_;
  };

 private:
  struct Block {
    void* memory;
    std::int64_t bytes;
  };

  void grow(std::int64_t bytes);
  void release_blocks();
  /// Several blocks become one.
  void merge();

  std::vector<Block> blocks_;
  std::size_t current_ = 0;  ///< the block being handed out
  std::int64_t used_ = 0;    ///< of that block
  int open_scopes_ = 0;
};

}  // namespace wan

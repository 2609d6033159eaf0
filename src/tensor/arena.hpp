#pragma once
#include <cstdint>

#include "tensor/tensor.hpp"

namespace wan {

/// A stack of activations in one block of borrowed memory. Allocation moves a mark up; `Arena::Scope` moves
/// it back. An arena without memory only measures: it hands out addresses that nobody may touch and remembers
/// the highest mark, so a walk with the plan ops tells how much memory the real walk needs.
class Arena {
 public:
  /// Every tensor begins at a multiple of this many bytes.
  static constexpr std::int64_t alignment = 256;

  /// Measures only.
  Arena();
  /// Hands out parts of [memory, memory + bytes), which the caller owns and which must be aligned.
  Arena(void* memory, std::int64_t bytes);

  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// A dense tensor with undefined content. Throws InternalError, naming the sizes, if the block is full.
  [[nodiscard]] Tensor allocate(DType dtype, const Shape& shape);

  [[nodiscard]] std::int64_t used() const { return used_; }
  [[nodiscard]] std::int64_t peak() const { return peak_; }
  [[nodiscard]] bool measuring() const { return capacity_ < 0; }

  /// Gives back on destruction what was allocated since its construction.
  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), mark_(arena.used_) {}
    ~Scope() { arena_.used_ = mark_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    std::int64_t mark_;
  };

 private:
  std::byte* memory_;
  std::int64_t capacity_;
  std::int64_t used_ = 0;
  std::int64_t peak_ = 0;
};

}  // namespace wan

#pragma once
#include <Kokkos_Core.hpp>
#include <cstdint>
#include <cstring>

// A GPU's shared memory by its addresses, and copies into it that go on while a lane works (cp.async of
// sm_80 and later).
namespace wan::kernels {

/// An address in shared memory, held as a number: the compiler would work out a pointer anew for each use.
using SharedAddress = std::uint32_t;

KOKKOS_FORCEINLINE_FUNCTION SharedAddress shared_address(const void* at) {
#if defined(__CUDA_ARCH__)
  return static_cast<SharedAddress>(__cvta_generic_to_shared(at));
#else
  static_cast<void>(at);
  return 0;
#endif
}
KOKKOS_FORCEINLINE_FUNCTION SharedAddress kept(SharedAddress at) {
#if defined(__CUDA_ARCH__)
  asm("" : "+r"(at));
#endif
  return at;
}

/// The 16 bytes that shared memory takes and gives at once.
struct alignas(16) Piece {
  std::uint32_t word[4];
};

KOKKOS_FORCEINLINE_FUNCTION Piece load_shared(SharedAddress at) {
  Piece out{};
#if defined(__CUDA_ARCH__)
  asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
               : "=r"(out.word[0]), "=r"(out.word[1]), "=r"(out.word[2]), "=r"(out.word[3])
               : "r"(at));
#else
  static_cast<void>(at);
#endif
  return out;
}
/// Other lanes may read it after a barrier only where the compiler is told so (share_stores): that costs
/// those who read their own.
KOKKOS_FORCEINLINE_FUNCTION void store_shared(SharedAddress at, const Piece& piece) {
#if defined(__CUDA_ARCH__)
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(at), "r"(piece.word[0]), "r"(piece.word[1]),
               "r"(piece.word[2]), "r"(piece.word[3]));
#else
  static_cast<void>(at);
  static_cast<void>(piece);
#endif
}
KOKKOS_FORCEINLINE_FUNCTION void share_stores() {
#if defined(__CUDA_ARCH__)
  asm volatile("" ::: "memory");
#endif
}
KOKKOS_FORCEINLINE_FUNCTION void copy_to_shared(SharedAddress to, const void* from) {
#if defined(__CUDA_ARCH__)
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
#else
  static_cast<void>(to);
  static_cast<void>(from);
#endif
}

KOKKOS_FORCEINLINE_FUNCTION std::uint32_t load_word(SharedAddress at) {
  std::uint32_t out = 0;
#if defined(__CUDA_ARCH__)
  asm volatile("ld.shared.b32 %0, [%1];" : "=r"(out) : "r"(at));
#else
  static_cast<void>(at);
#endif
  return out;
}
KOKKOS_FORCEINLINE_FUNCTION void store_word(SharedAddress at, std::uint32_t word) {
#if defined(__CUDA_ARCH__)
  asm volatile("st.shared.b32 [%0], %1;" ::"r"(at), "r"(word) : "memory");
#else
  static_cast<void>(at);
  static_cast<void>(word);
#endif
}

/// Requests made since the last call belong together.
KOKKOS_FORCEINLINE_FUNCTION void close_request() {
#if defined(__CUDA_ARCH__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/// The most requests that wait_for_request leaves under way.
inline constexpr int most_requests = 2;

/// Waits until at most `later` requests are still under way.
KOKKOS_FORCEINLINE_FUNCTION void wait_for_request(int later) {
#if defined(__CUDA_ARCH__)
  if (later == 0) {
    asm volatile("cp.async.wait_group 0;" ::: "memory");
  } else if (later == 1) {
    asm volatile("cp.async.wait_group 1;" ::: "memory");
  } else {
    asm volatile("cp.async.wait_group 2;" ::: "memory");
  }
#else
  static_cast<void>(later);
#endif
}

}  // namespace wan::kernels

#pragma once

namespace wan {

/// Computes a few sums with arguments of several sizes and alignments through parallel_for and
/// parallel_reduce. Throws InternalError if an answer is wrong: some pairs of Kokkos and compiler pass kernel
/// arguments at wrong offsets, and then nothing else here can be trusted.
void kernel_self_test();

}  // namespace wan

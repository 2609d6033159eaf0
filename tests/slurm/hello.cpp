#include <mpi.h>

#include <cstdio>
#include <cstdlib>

/// The smallest MPI job: every rank adds up to a sum that only the whole world gives, and rank 0 prints it
/// with the node each rank ran on.
int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int world = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world);
  const int own = rank + 1;
  int sum = 0;
  MPI_Allreduce(&own, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  const char* node = std::getenv("SLURMD_NODENAME");
  std::printf("rank %d of %d on %s: sum %d\n", rank, world, node == nullptr ? "?" : node, sum);
  MPI_Finalize();
  return 0;
}

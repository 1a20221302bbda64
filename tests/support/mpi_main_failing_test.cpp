// Not a test of its own: one rank leaves a test that the others wait in, to check mpi_main.cpp.
#include <gtest/gtest.h>
#include <mpi.h>

TEST(MpiMain, OneRankFailsWhileTheOthersWait) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  ASSERT_NE(rank, 1) << "on purpose";
  MPI_Barrier(MPI_COMM_WORLD);
}

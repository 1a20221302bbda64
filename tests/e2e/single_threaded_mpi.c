// Preloaded into a program: MPI as of a library that was built without threads.

#include <mpi.h>

int MPI_Init_thread(int* argc, char*** argv, int required, int* provided) {
  (void)required;
  const int code = PMPI_Init_thread(argc, argv, MPI_THREAD_SINGLE, provided);
  *provided = MPI_THREAD_SINGLE;
  return code;
}

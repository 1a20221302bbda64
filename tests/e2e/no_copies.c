// Preloaded into a program: a process that has started MPI must not be copied by fork(), since network
// libraries end it then, as libfabric does, or their messages are corrupted. This ends it as well.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void refuse(void) {
  int (*initialized)(int*) = (int (*)(int*))dlsym(RTLD_DEFAULT, "MPI_Initialized");
  int started = 0;
  if (initialized == NULL || initialized(&started) != 0 || !started) return;
  static const char text[] = "copied by fork() after MPI_Init\n";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
  _exit(99);
}

__attribute__((constructor)) static void begin(void) { pthread_atfork(refuse, NULL, NULL); }

// Preloaded into a program: kills it by SIGKILL before the CRASH_AT-th system call that changes a
// file whose path holds CRASH_IN, or tells on stderr at the end how many there were.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int calls;

static void count(const char* path) {
  const char* part = getenv("CRASH_IN");
  const char* at = getenv("CRASH_AT");
  if (part == NULL || strstr(path, part) == NULL) return;
  ++calls;
  if (at != NULL && atoi(at) == calls) kill(getpid(), SIGKILL);
}

static void count_descriptor(int descriptor) {
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = '\0';
  count(path);
}

__attribute__((destructor)) static void tell(void) {
  if (getenv("CRASH_TELL") != NULL) fprintf(stderr, "calls %d\n", calls);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  count_descriptor(fd);
  return NEXT(pwrite64)(fd, bytes, size, offset);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  count_descriptor(fd);
  return NEXT(pwrite)(fd, bytes, size, offset);
}
ssize_t write(int fd, const void* bytes, size_t size) {
  count_descriptor(fd);
  return NEXT(write)(fd, bytes, size);
}
int ftruncate64(int fd, off64_t size) {
  count_descriptor(fd);
  return NEXT(ftruncate64)(fd, size);
}
int fsync(int fd) {
  count_descriptor(fd);
  return NEXT(fsync)(fd);
}
int close(int fd) {
  count_descriptor(fd);
  return NEXT(close)(fd);
}
int rename(const char* from, const char* to) {
  count(to);
  return NEXT(rename)(from, to);
}
int unlink(const char* path) {
  count(path);
  return NEXT(unlink)(path);
}
int remove(const char* path) {
  count(path);
  return NEXT(remove)(path);
}

// Preloaded into a program, on the system calls that change a file whose path holds CRASH_IN: before
// the CRASH_AT-th it sends itself the signal CRASH_SIGNAL, else SIGKILL; the FULL_AT-th fails as on
// a full disk; fsync takes SLOW_FSYNC seconds. With CRASH_TELL it tells on stderr at the end how
// many there were.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int calls;

static int number_of(const char* variable) {
  const char* text = getenv(variable);
  return text == NULL ? 0 : atoi(text);
}

static int is_counted(const char* path) {
  const char* part = getenv("CRASH_IN");
  return part != NULL && strstr(path, part) != NULL;
}

// Whether the call is to fail.
static int count(const char* path) {
  if (!is_counted(path)) return 0;
  const int call = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
  if (call == number_of("CRASH_AT")) {
    const int number = number_of("CRASH_SIGNAL");
    kill(getpid(), number == 0 ? SIGKILL : number);
  }
  if (call != number_of("FULL_AT")) return 0;
  errno = ENOSPC;
  return 1;
}

static int path_of(int descriptor, char* path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, size - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return 1;
}

static int count_descriptor(int descriptor) {
  char path[4096];
  return path_of(descriptor, path, sizeof path) && count(path);
}

__attribute__((destructor)) static void tell(void) {
  if (getenv("CRASH_TELL") != NULL) fprintf(stderr, "calls %d\n", calls);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  if (count_descriptor(fd)) return -1;
  return NEXT(pwrite64)(fd, bytes, size, offset);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  if (count_descriptor(fd)) return -1;
  return NEXT(pwrite)(fd, bytes, size, offset);
}
ssize_t write(int fd, const void* bytes, size_t size) {
  if (count_descriptor(fd)) return -1;
  return NEXT(write)(fd, bytes, size);
}
int ftruncate64(int fd, off64_t size) {
  if (count_descriptor(fd)) return -1;
  return NEXT(ftruncate64)(fd, size);
}
int fsync(int fd) {
  char path[4096];
  const char* slow = getenv("SLOW_FSYNC");
  if (slow != NULL && path_of(fd, path, sizeof path) && is_counted(path)) {
    usleep((useconds_t)(1e6 * atof(slow)));
  }
  if (count_descriptor(fd)) return -1;
  return NEXT(fsync)(fd);
}
int close(int fd) {
  count_descriptor(fd);
  return NEXT(close)(fd);
}
int rename(const char* from, const char* to) {
  if (count(to)) return -1;
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

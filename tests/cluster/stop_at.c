// Preloaded into a program: stops it before it calls STOP_BEFORE, `open` to make a file or `rename`
// to publish it, with a path that holds STOP_IN, and again once that file is published or removed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int stops;

static int is_watched(const char* path) {
  const char* part = getenv("STOP_IN");
  return part != NULL && strstr(path, part) != NULL;
}

// At once, before the call returns: a signal to the process may find another thread first.
static void stop(void) {
  ++stops;
  raise(SIGSTOP);
}

static void before(const char* call, const char* path) {
  const char* wanted = getenv("STOP_BEFORE");
  if (stops > 0 || wanted == NULL || strcmp(call, wanted) != 0 || !is_watched(path)) return;
  stop();
}

static void after(const char* path) {
  if (stops != 1 || !is_watched(path)) return;
  stop();
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
    before("open", path);
  }
  return NEXT(open)(path, flags, mode);
}
int rename(const char* from, const char* to) {
  before("rename", from);
  const int result = NEXT(rename)(from, to);
  after(from);
  return result;
}
int unlink(const char* path) {
  const int result = NEXT(unlink)(path);
  after(path);
  return result;
}

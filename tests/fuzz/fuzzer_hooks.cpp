// What the sanitizers of a fuzzer ask for.

#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

// Memory that cannot be had is refused as in the program itself. Little is kept back after its
// release: to copy it for a trial process takes longer than to read the file.
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1:quarantine_size_mb=4";
}

// Trial processes may crash. The fuzzer must not take that for a finding of its own.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  return pthread_atfork(nullptr, nullptr, [] { __sanitizer_set_death_callback([] {}); });
}

#include "comm/check.hpp"  // expect: kernels/ must not include comm/

#include <cstddef>  // expect: does not include check.hpp first
#include "check.hpp"

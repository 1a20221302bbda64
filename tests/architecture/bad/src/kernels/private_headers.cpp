#include "comm/check.hpp"  // expect: "comm/check.hpp" is neither sae/<layer>/... nor beside this file

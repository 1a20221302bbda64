#include "comm/check.hpp"  // expect: "comm/check.hpp" is neither sae/<layer>/... nor beside this file
#include "comm/nothing.hpp"  // expect: "comm/nothing.hpp" is neither sae/<layer>/... nor beside this file
#include <comm/check.hpp>  // expect: "comm/check.hpp" is neither sae/<layer>/... nor beside this file

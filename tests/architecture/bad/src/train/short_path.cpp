#include "../comm/check.hpp"  // expect: "../comm/check.hpp" is neither sae/<layer>/... nor beside this file
#include "observer.hpp"  // expect: "observer.hpp" is neither sae/<layer>/... nor beside this file
#include "sae/utils/text.hpp"  // expect: utils/ is not a layer

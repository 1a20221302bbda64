#pragma once
#include "sae/app/options.hpp"  // expect: core/ must not include app/

// Breaks no rule.
#pragma once
#include <cstddef>

#include "sae/core/types.hpp"

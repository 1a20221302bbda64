// Breaks no rule.
#include "check.hpp"

// Breaks no rule.
#include "sae/core/upward.hpp"
#include "sae/core/without_source.hpp"
#include "sae/data/exchange.hpp"
#include "sae/train/observer.hpp"

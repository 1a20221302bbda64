#include "sae/config/configuration.hpp"
#include "sae/train/observer.hpp"  // expect: run/ must not include train/

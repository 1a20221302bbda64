#pragma once
#include "sae/monitor/progress.hpp"  // expect: train/ must not include monitor/

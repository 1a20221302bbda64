#include "sae/comm/communicator.hpp"  // expect: kernels/ must not include comm/

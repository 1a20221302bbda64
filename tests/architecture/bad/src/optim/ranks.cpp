#include "sae/comm/communicator.hpp"  // expect: optim/ must not include comm/
  #  include <sae/storage/hdf5_file.hpp>  // expect: optim/ must not include storage/

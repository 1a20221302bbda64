#include <sae/storage/hdf5_file.hpp>  // expect: model/ must not include storage/

#include "sae/comm/communicator.hpp"  // expect: model/ must not include comm/

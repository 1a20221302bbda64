// Breaks no rule: data/ moves samples between ranks.
#pragma once
#include "sae/comm/communicator.hpp"
#include "sae/storage/hdf5_file.hpp"

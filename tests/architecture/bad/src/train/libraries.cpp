#include <H5Cpp.h>  // expect: <H5Cpp.h> belongs to storage/ alone
#include <hdf5.h>   // expect: <hdf5.h> belongs to storage/ alone
#include <hwloc.h>  // expect: <hwloc.h> belongs to core/ alone
#include <mpi.h>    // expect: <mpi.h> belongs to comm/ alone

#include <boost/program_options.hpp>  // expect: <boost/program_options.hpp> belongs to app/ alone
#include <boost/program_options/variables_map.hpp>  // expect: <boost/program_options/variables_map.hpp> belongs to app/ alone

# What 'cpack -G DEB' makes of the preset 'package': one package with all that is installed.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sae-dist)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The sae_dist authors <authors@example.org>"
    CACHE STRING "Maintainer of the package")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Distributed trainer of autoencoders for CPUs")
set(CPACK_PACKAGE_DESCRIPTION
    "sae_dist trains stacked denoising autoencoders, and classifiers that begin
as such, on a laptop, a server or a cluster, with the same command and the
same result. It runs as one process, under mpirun or under srun, resumes
exactly, and uses bfloat16 and AMX where the processor has them.
.
This package holds the program, its library with headers, a Python module,
batch scripts for Slurm, and the MNIST digits to try it with.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Open MPI starts its daemon even for a single process. python3 is for the module.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "openmpi-bin, python3:any")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "python3-h5py, python3-numpy")
# To build programs with the library: what sae-config.cmake looks for.
string(
  CONCAT CPACK_DEBIAN_PACKAGE_SUGGESTS
         "cmake, g++, libboost-iostreams-dev, libdnnl-dev, libeigen3-dev, libfmt-dev, libhdf5-dev, "
         "libhwloc-dev, libopenmpi-dev, libpng-dev, libprotobuf-dev, libspdlog-dev, "
         "nlohmann-json3-dev, slurm-client")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/cluster/debian/postinst
                                       ${PROJECT_SOURCE_DIR}/cluster/debian/prerm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# Files that Debian asks for, and none besides.
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cluster/debian/debian_files.cmake)
set(CPACK_SAE_SOURCE_DIR ${PROJECT_SOURCE_DIR})
include(CPack)

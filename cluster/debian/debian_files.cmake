# Run by CPack between installation and packing: makes of the files in
# CPACK_TEMPORARY_INSTALL_DIRECTORY what Debian's policy asks for.
cmake_minimum_required(VERSION 3.25)

find_program(gzip gzip REQUIRED)
set(share ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share)
set(documents ${share}/doc/${CPACK_PACKAGE_NAME})

configure_file(${CPACK_SAE_SOURCE_DIR}/cluster/debian/copyright ${documents}/copyright COPYONLY)
# The date is that of SOURCE_DATE_EPOCH if that is set.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(
  WRITE ${documents}/changelog.Debian
  "${CPACK_PACKAGE_NAME} (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; "
  "urgency=medium\n\n"
  "  * Version ${CPACK_PACKAGE_VERSION}; changelog.gz tells what is new.\n\n"
  " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
configure_file(${CPACK_SAE_SOURCE_DIR}/CHANGELOG.md ${documents}/changelog COPYONLY)

# What lies below /usr needs no module.
file(REMOVE_RECURSE ${share}/sae_dist/modulefiles)

file(GLOB scripts ${share}/sae_dist/slurm/*.sbatch)
file(CHMOD ${scripts} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                  WORLD_READ WORLD_EXECUTE)

file(GLOB pages ${share}/man/man1/*.1)
execute_process(COMMAND ${gzip} -9nf ${documents}/changelog ${documents}/changelog.Debian ${pages}
                COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE files ${documents}/* ${share}/man/*)
file(CHMOD ${files} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

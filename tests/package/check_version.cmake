# Checks that CITATION.cff and CHANGELOG.md tell of the version of the project.
# cmake -DROOT=<sources> -DVERSION=<version> -P check_version.cmake
cmake_minimum_required(VERSION 3.25)

file(READ ${ROOT}/CITATION.cff citation)
if(NOT citation MATCHES "\nversion: ([^\n]+)\n" OR NOT CMAKE_MATCH_1 STREQUAL VERSION)
  message(FATAL_ERROR "CITATION.cff names version '${CMAKE_MATCH_1}', CMakeLists.txt ${VERSION}.")
endif()
file(READ ${ROOT}/CHANGELOG.md changes)
if(NOT changes MATCHES "\n## ${VERSION}\n")
  message(FATAL_ERROR "CHANGELOG.md has no section ${VERSION}.")
endif()

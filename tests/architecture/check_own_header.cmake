# Checks that each source with a header of its name includes it first, so that the header is seen to
# stand alone where sources are compiled one by one without precompiled headers, as tests/lint.sh
# does; and that the build compiles each other public header alone.
# cmake -DROOT=<folder with include/ and src/> -P check_own_header.cmake
cmake_minimum_required(VERSION 3.25)

file(STRINGS ${ROOT}/src/CMakeLists.txt build)
list(FIND build "         FILE_SET headers_alone TYPE HEADERS" alone)
list(SUBLIST build ${alone} -1 build)
set(faults 0)

file(GLOB_RECURSE headers RELATIVE ${ROOT} ${ROOT}/include/*.hpp ${ROOT}/src/*.hpp)
list(LENGTH headers count)
if(alone EQUAL -1 OR count EQUAL 0)
  message(FATAL_ERROR "no headers found below '${ROOT}'")
endif()
foreach(header IN LISTS headers)
  string(REGEX REPLACE "^(include/sae|src)/(.*)\\.hpp$" "\\2" name ${header})
  set(source src/${name}.cpp)
  get_filename_component(file ${header} NAME)
  if(EXISTS ${ROOT}/${source})
    file(STRINGS ${ROOT}/${source} includes REGEX "^#include")
    list(GET includes 0 first)
    if(NOT first MATCHES "[\"/]${file}\"$")
      message("${source}:1: does not include ${file} first")
      math(EXPR faults "${faults} + 1")
    endif()
  elseif(header MATCHES "^include/" AND NOT "         ../${header}" IN_LIST build
         AND NOT "         ../${header})" IN_LIST build)
    message("${header}:1: no source includes it first, and it is not among headers_alone")
    math(EXPR faults "${faults} + 1")
  endif()
endforeach()
if(faults GREATER 0)
  message(FATAL_ERROR "${faults} headers are not seen to stand alone")
endif()
message(STATUS "${count} headers stand alone")

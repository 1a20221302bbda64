# Checks that clang-format would change no file of ours.
# cmake -DROOT=<sources> -DCLANG_FORMAT=<program> -P check_format.cmake
cmake_minimum_required(VERSION 3.25)

file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/include/*.?pp ${ROOT}/src/*.?pp
     ${ROOT}/tests/*.?pp)
list(FILTER files EXCLUDE REGEX "^tests/architecture/bad/")
execute_process(COMMAND ${CLANG_FORMAT} --dry-run -Werror ${files} WORKING_DIRECTORY ${ROOT}
                RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  string(JOIN " " files ${files})
  message(FATAL_ERROR "to repair: cd ${ROOT} && ${CLANG_FORMAT} -i ${files}")
endif()

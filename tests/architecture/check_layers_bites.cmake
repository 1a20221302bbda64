# Runs check_layers.cmake, check_public_headers.cmake and check_own_header.cmake on bad/, a file for
# each rule, and compares what they report with what the files expect: exactly the lines that end in
# '// expect: <text>'.
# cmake -DWORK=<folder to write in> -P check_layers_bites.cmake
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE ${WORK})
file(COPY ${CMAKE_CURRENT_LIST_DIR}/bad/ DESTINATION ${WORK})
string(REPEAT "\n" 400 lines)
file(WRITE ${WORK}/src/core/just_short_enough.cpp "${lines}")
file(WRITE ${WORK}/src/core/too_long.cpp "${lines}\n")

set(expected "src/core/too_long.cpp:401: a file has at most 400 lines\n")
file(GLOB_RECURSE files RELATIVE ${WORK} ${WORK}/*.?pp)
foreach(file IN LISTS files)
  file(STRINGS ${WORK}/${file} lines)
  set(line 0)
  foreach(content IN LISTS lines)
    math(EXPR line "${line} + 1")
    if(content MATCHES "// expect: (.*)$")
      string(APPEND expected "${file}:${line}: ${CMAKE_MATCH_1}\n")
    endif()
  endforeach()
endforeach()

set(reported)
foreach(script check_layers.cmake check_own_header.cmake check_public_headers.cmake)
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${WORK} -P ${CMAKE_CURRENT_LIST_DIR}/${script}
                  RESULT_VARIABLE code ERROR_VARIABLE text OUTPUT_QUIET)
  if(code EQUAL 0)
    message(FATAL_ERROR "${script} accepts a tree that breaks every rule")
  endif()
  string(APPEND reported "${text}")
endforeach()

string(REGEX MATCHALL "[^\n]*:[0-9]+: [^\n]*\n" reported "${reported}")
string(REGEX MATCHALL "[^\n]+\n" expected "${expected}")
foreach(text IN LISTS expected)
  if(NOT text IN_LIST reported)
    message(SEND_ERROR "not reported: ${text}")
  endif()
endforeach()
foreach(text IN LISTS reported)
  if(NOT text IN_LIST expected)
    message(SEND_ERROR "reported without cause: ${text}")
  endif()
endforeach()
list(LENGTH expected count)
message(STATUS "${count} faults expected")

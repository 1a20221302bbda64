# Installs the build into a folder of its own, then configures, builds and runs a project that knows
# nothing but that folder.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE ${WORK}/prefix ${WORK}/build)
set(flags "")
if(SANITIZERS)
  set(flags -DCMAKE_CXX_FLAGS=-fsanitize=${SANITIZERS})
endif()
foreach(
  command
  "${CMAKE_COMMAND};--install;${BUILD};--prefix;${WORK}/prefix"
  "${CMAKE_COMMAND};-S;${SOURCE};-B;${WORK}/build;-G;Ninja;-DCMAKE_BUILD_TYPE=Release;-DCMAKE_PREFIX_PATH=${WORK}/prefix;-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER};${flags}"
  "${CMAKE_COMMAND};--build;${WORK}/build"
  "${WORK}/build/user")
  execute_process(COMMAND ${command} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# Tests that this machine cannot run are not registered; tests/run.sh prints which, and why.
set(sae_not_run_file ${PROJECT_BINARY_DIR}/tests_not_run.txt)
file(REMOVE ${sae_not_run_file})

# sae_not_run("e2e.full_disk" "reason"): names tests and why they are not run.
function(sae_not_run tests reason)
  message(STATUS "Not run: ${tests}: ${reason}")
  file(APPEND ${sae_not_run_file} "${tests}: ${reason}\n")
endfunction()

# sae_probe(mounts "e2e.full_disk"): sets SAE_HAS_MOUNTS to whether support/probe.sh finds that these
# tests can be run here. Asked anew until it is so.
function(sae_probe what tests)
  string(TOUPPER SAE_HAS_${what} variable)
  if(NOT ${variable})
    execute_process(
      COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/support/probe.sh ${what} ${ARGN}
      RESULT_VARIABLE result OUTPUT_VARIABLE reason OUTPUT_STRIP_TRAILING_WHITESPACE
      ERROR_VARIABLE reason)
    if(result EQUAL 0)
      set(${variable} ON CACHE BOOL "Whether tests that need it run")
    else()
      sae_not_run("${tests}" "${reason}")
    endif()
  endif()
endfunction()

# Checks our Python files: names that are not defined, imports that are not used and the like.
# cmake -DROOT=<sources> -DPYTHON=<program> -P check_python.cmake
cmake_minimum_required(VERSION 3.25)

file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/cluster/*.py ${ROOT}/slurm/*.py ${ROOT}/src/*.py
     ${ROOT}/tests/*.py)
execute_process(COMMAND ${PYTHON} -m pyflakes ${files} WORKING_DIRECTORY ${ROOT} RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "pyflakes finds faults")
endif()

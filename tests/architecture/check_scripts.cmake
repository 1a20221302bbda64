# Checks our shell scripts.
# cmake -DROOT=<sources> -DSHELLCHECK=<program> -P check_scripts.cmake
cmake_minimum_required(VERSION 3.25)

file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/cluster/*.sh ${ROOT}/slurm/*.sh
     ${ROOT}/slurm/*.sbatch ${ROOT}/slurm/*.example ${ROOT}/tests/*.sh ${ROOT}/cluster/*-cluster)
execute_process(COMMAND ${SHELLCHECK} --external-sources .ci/run cluster/debian/postinst cluster/debian/prerm
                        ${files} WORKING_DIRECTORY ${ROOT}
                RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "shellcheck finds faults")
endif()

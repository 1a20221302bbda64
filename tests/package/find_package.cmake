# Installs the build into a folder of its own, configures and builds a project that knows nothing but
# that folder, and lets its program classify images by a model that the installed program trained.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE ${WORK}/prefix ${WORK}/build ${WORK}/run)
set(flags "")
if(SANITIZERS)
  set(flags -DCMAKE_CXX_FLAGS=-fsanitize=${SANITIZERS})
endif()
set(sae_dist ${WORK}/prefix/bin/sae_dist)
set(data ${WORK}/prefix/share/sae_dist/mnist.h5)
foreach(
  command
  "${CMAKE_COMMAND};--install;${BUILD};--prefix;${WORK}/prefix"
  "${CMAKE_COMMAND};-S;${SOURCE};-B;${WORK}/build;-G;Ninja;-DCMAKE_BUILD_TYPE=Release;-DCMAKE_PREFIX_PATH=${WORK}/prefix;-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER};${flags}"
  "${CMAKE_COMMAND};--build;${WORK}/build"
  "${sae_dist};--data;${data};--run;${WORK}/run;--units;30;--pretrain-epochs;0;--finetune-epochs;1;--quiet"
  "${sae_dist};predict;${WORK}/run/model.h5;--data;${data};--csv;${WORK}/predictions.csv;--quiet")
  execute_process(COMMAND ${command} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

if(NOT EXISTS ${WORK}/prefix/share/sae_dist/python/sae_dist.py)
  message(FATAL_ERROR "The Python module is not installed.")
endif()
file(STRINGS ${WORK}/predictions.csv predictions)
foreach(sample 0 1 9999)
  execute_process(
    COMMAND ${WORK}/build/classify_image ${WORK}/run/model.h5 ${data} ${sample}
    OUTPUT_VARIABLE found COMMAND_ERROR_IS_FATAL ANY)
  math(EXPR line "${sample} + 1")
  list(GET predictions ${line} prediction)
  string(REGEX REPLACE " .*" "" label "${found}")
  if(NOT prediction MATCHES "^${sample},${label},")
    message(FATAL_ERROR "classify_image says '${found}' of sample ${sample}, sae_dist predict says "
                        "'${prediction}'.")
  endif()
endforeach()
execute_process(COMMAND ${WORK}/build/classify_image ${data} ${data} 0 RESULT_VARIABLE code
                ERROR_QUIET)
if(NOT code EQUAL 65)
  message(FATAL_ERROR "classify_image ended with ${code} where there is no model, not 65.")
endif()

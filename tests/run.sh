#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test that is not labelled slow.
# usage: tests/run.sh [PRESET] [--build-only | OPTIONS OF CTEST], such as: tests/run.sh debug -L unit
# PRESET is ci (default), debug, release or sanitize; sanitize has only unit and mpi tests.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=ci
if [[ $# -gt 0 && $1 != -* ]]; then
  preset=$1
  shift
fi

cluster/setup.sh --all
if [[ $(id -u) -eq 0 ]]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }

say "configuring, preset $preset"
launchers=()
if command -v ccache >/dev/null; then
  launchers=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
cmake --preset "$preset" -DSAE_BUILD_TESTS=ON "${launchers[@]}"
say "building"
cmake --build --preset "$preset"
if [[ $preset == ci ]]; then
  say "compiling the headers that no source includes first"
  cmake --build --preset "$preset" --target all_verify_interface_header_sets
fi
if [[ ${1:-} == --build-only ]]; then
  exit
fi
say "testing"
code=0
# Three times as many as cores: most of what tests of the program do is to wait.
ctest --preset "$preset" --parallel "$((3 * $(nproc)))" "$@" || code=$?

if [[ -s build/$preset/tests_not_run.txt ]]; then
  say "not run on this machine"
  cat "build/$preset/tests_not_run.txt"
fi
if [[ $code -eq 0 ]]; then
  say "all tests passed"
else
  say "TESTS FAILED; what they printed: build/$preset/Testing/Temporary/LastTest.log"
fi
exit $code

#!/usr/bin/env bash
# Runs clang-tidy over our sources as preset ci compiles them; prints what it finds and then fails.
# usage: tests/lint.sh [--quick] [FILE...]
#   --quick  without the checks that take longest, the paths of clang-analyzer above all
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
checks=''
if [[ ${1:-} == --quick ]]; then
  checks='-clang-analyzer-*,-bugprone-reserved-identifier,-bugprone-use-after-move'
  shift
fi
# Nothing is compiled here. clang cannot read what GCC precompiled, and its findings must not depend on
# the machine.
cmake --preset ci -B build/lint -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DCMAKE_UNITY_BUILD=OFF \
  -DSAE_BUILD_TESTS=OFF -DSAE_NATIVE=OFF --log-level=WARNING >/dev/null
cmake --build build/lint --target src/onnx.pb.h src/tensorboard.pb.h >/dev/null

if [[ $# -eq 0 ]]; then
  readarray -t sources < <(find src -name '*.cpp' | sort)
  set -- "${sources[@]}"
fi
# Of what it prints to stderr, the count of warnings within the system's headers, nothing is ours.
printf '%s\0' "$@" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 --quiet -p build/lint --checks="$checks" \
    --extra-arg=-Wno-unknown-warning-option 2> >(
    grep -vE '^[0-9]+ warnings? (generated|treated as errors?)' >&2
  )

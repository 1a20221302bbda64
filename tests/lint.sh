#!/usr/bin/env bash
# Runs clang-tidy over our sources; prints what it finds and then fails.
# usage: tests/lint.sh [--quick] [FILE...]
#   --quick  all sources in units of eight, as headers take most of the time, and without the checks
#            that take longest, the paths of clang-analyzer above all; that each source includes what
#            it uses is seen without it only
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
tree=build/lint
unity=OFF
checks=''
if [[ ${1:-} == --quick ]]; then
  tree=build/lint_quick
  unity=ON
  checks='-clang-analyzer-*,-bugprone-reserved-identifier,-bugprone-use-after-move,-bugprone-suspicious-include'
  shift
fi
# Nothing is compiled here. clang cannot read what GCC precompiled, and its findings must not depend on
# the machine.
cmake --preset ci -B "$tree" -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DCMAKE_UNITY_BUILD="$unity" \
  -DSAE_BUILD_TESTS=OFF -DSAE_NATIVE=OFF --log-level=WARNING >/dev/null
cmake --build "$tree" --target src/onnx.pb.h src/tensorboard.pb.h >/dev/null

if [[ $# -eq 0 ]]; then
  # What is compiled: not what the build wrote, but for its units.
  readarray -t sources < <(sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$tree/compile_commands.json" |
    grep -vE '\.pb\.cc$|_verify_interface_header_sets/' | sort)
  set -- "${sources[@]}"
fi
# Of what it prints to stderr, the count of warnings within the system's headers, nothing is ours.
printf '%s\0' "$@" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 --quiet -p "$tree" --checks="$checks" \
    --extra-arg=-Wno-unknown-warning-option 2> >(
    grep -vE '^[0-9]+ warnings? (generated|treated as errors?)' >&2
  )

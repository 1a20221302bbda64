#!/usr/bin/env bash
# Runs a fuzzer for $SAE_FUZZ_SECONDS (7) seconds on a copy of its corpus.
# usage: tests/fuzz/run_fuzzer.sh PROGRAM CORPUS FINDINGS
# An input that shows a fault is kept in the folder FINDINGS; PROGRAM FILE runs it again.
set -euo pipefail

program=$1
corpus=$2
findings=$3
folder=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/corpus" "$folder/input" "$findings"
cp "$corpus"/* "$folder/corpus"

options=()
if [[ $program != */idx_fuzzer ]]; then
  # libhdf5 leaks where it refuses a file, and asks for memory that it then does not touch.
  export ASAN_OPTIONS=detect_leaks=0
  options+=(-detect_leaks=0 -malloc_limit_mb=2147483647)
fi
code=0
TMPDIR=$folder/input "$program" -max_total_time="${SAE_FUZZ_SECONDS:-7}" -timeout=120 \
  -print_final_stats=1 -artifact_prefix="$findings/" "${options[@]}" "$folder/corpus" || code=$?
if [[ $code -ne 0 ]]; then
  echo "run_fuzzer.sh: $program FOUND A FAULT; the input is kept in $findings" >&2
fi
exit $code

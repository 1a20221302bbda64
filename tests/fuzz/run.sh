#!/usr/bin/env bash
# Builds the fuzzers and runs each in turn, by default for 7 seconds; fails if one finds a fault.
# usage: tests/fuzz/run.sh [SECONDS [OPTIONS OF CTEST]], such as: tests/fuzz/run.sh 600 -R dataset
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export SAE_FUZZ_SECONDS=${1:-7}
cmake --preset fuzz --log-level=WARNING
cmake --build --preset fuzz
ctest --preset fuzz "${@:2}"

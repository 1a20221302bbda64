#!/usr/bin/env bash
# Installs what is missing, builds sae_dist and trains on data/mnist.h5 with all cores of this
# machine. Options go to sae_dist: cluster/quickstart.sh --recipe quick
# Results: --run, or else runs/<date-time> below the current folder.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=$root/build/release/src/sae_dist

case ${1:-} in
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
    echo "Options of sae_dist, once it is built: $program --help"
    exit
    ;;
esac

# Cores, not their hardware threads, which this process may use: its affinity mask and the limit of
# its control group hold.
count_cores() {
  local cpus cores quota period folder
  cpus=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
  cores=$(for cpu in $(allowed_cpus); do
    cat "/sys/devices/system/cpu/cpu$cpu/topology/thread_siblings_list" 2>/dev/null || echo "$cpu"
  done | sort -u | wc -l)
  ((cores > 0 && cores < cpus)) || cores=$cpus
  folder=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null || true)
  for limit in "$folder/cpu.max" /sys/fs/cgroup/cpu.max; do
    if read -r quota period 2>/dev/null <"$limit" && [[ $quota != max ]]; then
      ((quota / period >= cores)) || cores=$((quota / period))
    fi
  done
  echo $((cores > 0 ? cores : 1))
}

# The CPUs of the affinity mask, one per line.
allowed_cpus() {
  local ranges range
  IFS=, read -ra ranges < <(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
  for range in "${ranges[@]}"; do seq "${range%-*}" "${range#*-}"; done
}

# The folder that a run with these options, begun at this second, left its results in.
run_folder() {
  local start=$1 option previous=''
  shift
  for option in "$@"; do
    [[ $previous != --run ]] || realpath -m "$option"
    [[ $option != --run=* ]] || realpath -m "${option#--run=}"
    previous=$option
  done
  find "$PWD/runs" -mindepth 1 -maxdepth 1 -type d -newermt "@$start" 2>/dev/null || true
}

"$root/cluster/setup.sh" --run

echo "quickstart.sh: building $program"
(
  cd "$root"
  cmake --preset release -DSAE_BUILD_TESTS=OFF --log-level=WARNING
  cmake --build --preset release --target sae_dist
)

if [[ $(id -u) -eq 0 ]]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} # One rank per core.
command=(mpirun --oversubscribe -np "$(count_cores)" "$program" "$@")
echo "quickstart.sh: ${command[*]}"
start=$(date +%s)
code=0
"${command[@]}" || code=$?
folder=$(run_folder "$start" "$@" | head -n 1)
[[ -z $folder ]] || echo "quickstart.sh: the run is in $folder"
exit $code

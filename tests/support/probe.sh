#!/usr/bin/env bash
# Whether this machine has what some tests need; if not, says why not and fails.
# usage: tests/support/probe.sh mounts | hosts | slurm | memory_groups PYTHON | pypi PYTHON FOLDER
#   mounts  a file system of one's own, in a namespace for mounts
#   hosts   hosts on this machine, in namespaces for all that cluster/namespaces.sh asks for
#   slurm   what slurmd asks for besides
#   memory_groups  control groups of one's own that limit memory
#   pypi    packages from PyPI, for a virtual environment in FOLDER, which it makes
set -uo pipefail

# The reason is the last line of what failed.
try() {
  local printed
  printed=$("$@" 2>&1) && return
  printf '%s\n' "${printed##*$'\n'}"
  exit 1
}

case $1 in
  mounts)
    user=()
    [[ $(id -u) -eq 0 ]] || user=(--user --map-root-user)
    try unshare "${user[@]}" --mount mount -t tmpfs none /tmp
    ;;
  hosts)
    [[ $(id -u) -eq 0 ]] || { echo "only root can make hosts on this machine" && exit 1; }
    try unshare --net --uts --mount --ipc --pid --fork --kill-child --mount-proc ip link set lo up
    ;;
  slurm)
    [[ -n $(ls -A /sys/fs/cgroup 2>/dev/null) ]] ||
      { echo "no control groups are mounted on /sys/fs/cgroup, and slurmd ends without" && exit 1; }
    ;;
  memory_groups) try "$2" "$(dirname "$0")/memory_group.py" ;;
  pypi)
    [[ -x $3/bin/pip ]] || try "$2" -m venv "$3"
    try "$3/bin/pip" download --quiet --disable-pip-version-check --timeout 15 --retries 1 \
      --no-deps --dest "$3/probe" absl-py
    ;;
  *)
    echo "unknown probe '$1'"
    exit 64
    ;;
esac

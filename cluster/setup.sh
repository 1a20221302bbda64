#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that are missing; changes nothing when none is.
set -euo pipefail

# To build and run; mpirun reaches other machines by openssh-client.
run_packages=(g++ cmake ninja-build libopenmpi-dev openmpi-bin openssh-client libeigen3-dev
  libhdf5-dev libhwloc-dev libboost-iostreams-dev libboost-program-options-dev librandom123-dev
  libfmt-dev libdnnl-dev libpng-dev libprotobuf-dev protobuf-compiler libspdlog-dev libxxhash-dev
  libkainjow-mustache-dev nlohmann-json3-dev)
# To test as well, and to make a package (file, dpkg-dev).
test_packages=(bats file dpkg-dev libgtest-dev python3 python3-numpy python3-h5py python3-pyflakes
  python3-venv clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev libomp-14-dev shellcheck
  environment-modules)
# Ubuntu has no browser as a package: the page of a run is not looked at there.
if grep -qs '^ID=debian' /etc/os-release; then
  test_packages+=(chromium chromium-driver)
fi
# To test on clusters of several nodes on one machine; srun --mpi=pmix opens what libpmix-dev has.
cluster_packages=(iproute2 openssh-server slurmctld slurmd slurm-client munge libpmix-dev)

usage() {
  cat <<'END'
usage: cluster/setup.sh [--run | --all] [--sudo] [--list]
  --run   what is needed to build and run sae_dist
  --all   that and what the tests need (default)
  --sudo  install by sudo when not root; sudo is never called without this option
  --list  print the packages, one per line, and install nothing
exit codes: 0 nothing is missing (any more), 64 wrong options, 69 packages are missing
END
}

packages=("${run_packages[@]}" "${test_packages[@]}" "${cluster_packages[@]}")
use_sudo=no
only_list=no
for option in "$@"; do
  case $option in
    --run) packages=("${run_packages[@]}") ;;
    --all) packages=("${run_packages[@]}" "${test_packages[@]}" "${cluster_packages[@]}") ;;
    --sudo) use_sudo=yes ;;
    --list) only_list=yes ;;
    -h | --help) usage && exit 0 ;;
    *) echo "setup.sh: unknown option '$option'" >&2 && usage >&2 && exit 64 ;;
  esac
done

if [[ $only_list == yes ]]; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi

if ! command -v dpkg-query apt-get >/dev/null; then
  echo "setup.sh: no apt-get here; sae_dist needs what these packages bring: ${packages[*]}" >&2
  exit 69
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null |
    grep -qx installed || missing+=("$package")
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if [[ $use_sudo == no ]]; then
    echo "setup.sh: these packages are missing: ${missing[*]}" >&2
    echo "to install them: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 69
  fi
  as_root=(sudo)
fi

echo "setup.sh: installing ${missing[*]}"
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 \
    -o DPkg::Lock::Timeout=300 "$@"
}
apt_get update
apt_get install --yes --no-install-recommends "${missing[@]}"

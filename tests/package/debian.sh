#!/usr/bin/env bash
# Builds the Debian package, installs it on a machine with nothing else, trains there, and removes it.
# The machine is a minimal Debian in a folder, as tests/fresh_machine.sh makes it. Needs root and
# debootstrap; the build takes about 10 minutes, the rest about 2.
# usage: tests/package/debian.sh [--package FILE] [FOLDER]
#   --package  take this package instead of building one
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/support/fresh_root.sh
. "$root/tests/support/fresh_root.sh"
package=''
folder=/tmp/sae-fresh-package
while [[ $# -gt 0 ]]; do
  case $1 in
    --package) package=$2 && shift 2 ;;
    -*) echo "debian.sh: unknown option '$1'" >&2 && exit 64 ;;
    *) folder=$1 && shift ;;
  esac
done

if [[ -z $package ]]; then
  say "building the package"
  cd "$root"
  launchers=()
  if command -v ccache >/dev/null; then
    launchers=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  cmake --preset package --log-level=WARNING "${launchers[@]}" >/dev/null
  cmake --build --preset package
  rm -f build/package/*.deb
  cpack --config build/package/CPackConfig.cmake -B build/package
  package=$(echo "$root"/build/package/sae-dist_*.deb)
fi
version=$(dpkg-deb --field "$package" Version)
[[ $version == "$(sed -n 's/^project(sae VERSION \([0-9.]*\) .*/\1/p' "$root/CMakeLists.txt")-1" ]]
if command -v lintian >/dev/null; then
  say "lintian $package"
  lintian --allow-root --fail-on error "$package"
fi

make_fresh_root "$folder"
there() {
  say "$*"
  in_fresh_root /root env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
    DEBIAN_FRONTEND=noninteractive "$@"
}
cp "$package" "$fresh/root/"
there apt-get -qq update
there apt-get -qq install --yes "./${package##*/}"
printed=$(in_fresh_root /root sae_dist --version)
[[ ${printed%%$'\n'*} == "sae_dist ${version%-*}" ]]
there sae_dist --units 30 --pretrain-epochs 0 --finetune-epochs 1 --run one --quiet
there mpirun --oversubscribe -np 2 sae_dist --units 30 --pretrain-epochs 0 --finetune-epochs 1 \
  --run two --quiet
printed=$(there sae_dist evaluate two/best.h5)
echo "$printed"
error=$(sed -n 's/^ *error *\([0-9]*\)\.[0-9]* %.*/\1/p' <<<"$printed")
[[ $error -lt 15 ]]
there python3 -c 'import h5py, sae_dist
with h5py.File("/usr/share/sae_dist/mnist.h5") as file:
    print(sae_dist.Model.load("one/best.h5").predict(file["test/images"][:9].reshape(9, -1)))'
there bash -c '. /usr/share/bash-completion/completions/sae_dist && complete -p sae_dist'
there test -x /usr/share/sae_dist/slurm/train.sbatch -a -x /usr/share/sae_dist/cluster/launch.sh \
  -a -e /usr/include/sae/train/trainer.hpp
there apt-get -qq purge --yes sae-dist
left=$(find "$fresh" -xdev '(' -path "$fresh/root" -o -path "$fresh/var" ')' -prune -o \
  '(' -name '*sae*dist*' -o -name 'libsae*' ')' -print)
[[ -z $left ]] || { echo "debian.sh: removing the package left $left" >&2 && exit 1; }
say "the package passed"

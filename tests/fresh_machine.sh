#!/usr/bin/env bash
# Runs cluster/quickstart.sh and tests/run.sh on a machine with nothing installed: a minimal Debian in
# a folder, which is removed afterwards. Needs root and debootstrap; takes about 10 minutes and 3 GB.
# usage: tests/fresh_machine.sh [--only-setup | --readme] [--keep] [FOLDER]
#   --only-setup  install the packages of each kind and stop there
#   --readme      run the two commands that README begins with, and stop there
#   --keep        leave the folder as it is at the end
# The new machine has this machine's suite and its way to the packages: /etc/apt, proxies, name
# service, certificates. Another one, such as Ubuntu 24.04, is chosen by the environment:
#   SAE_FRESH_SUITE=noble SAE_FRESH_COMPONENTS=main,universe
#   SAE_FRESH_MIRROR=URL tests/fresh_machine.sh
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tests/support/fresh_root.sh
. "$root/tests/support/fresh_root.sh"
only_setup=no
readme=no
keep=no
folder=/tmp/sae-fresh
for option in "$@"; do
  case $option in
    --only-setup) only_setup=yes ;;
    --readme) readme=yes ;;
    --keep) keep=yes ;;
    -*) echo "fresh_machine.sh: unknown option '$option'" >&2 && exit 64 ;;
    *) folder=$option ;;
  esac
done
make_fresh_root "$folder"

# What is committed and what is not yet; no build folder, no old run.
mkdir -p "$fresh/root/sae_dist"
git -C "$root" ls-files -z --cached --others --exclude-standard |
  tar -C "$root" --null --ignore-failed-read -T - -c | tar -C "$fresh/root/sae_dist" -x

there() {
  say "$*"
  in_fresh_root /root/sae_dist "$@"
}

if [[ $only_setup == yes ]]; then
  there cluster/setup.sh --run
  there cluster/setup.sh --all
  there cluster/setup.sh --all
elif [[ $readme == yes ]]; then
  there cluster/quickstart.sh
  there env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
    mpirun -np 2 build/release/src/sae_dist --recipe quick --precision float32
else
  there cluster/quickstart.sh --recipe quick
  there tests/run.sh
  # Nothing is missing any more: this must take no second install.
  there cluster/setup.sh --all
fi
say "the fresh machine passed"

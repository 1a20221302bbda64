#!/usr/bin/env bash
# Runs cluster/quickstart.sh and tests/run.sh on a machine with nothing installed: a minimal Debian in
# a folder, which is removed afterwards. Needs root and debootstrap; takes about 10 minutes and 3 GB.
# usage: tests/fresh_machine.sh [--only-setup] [--keep] [FOLDER]
#   --only-setup  install the packages of each kind and stop there
#   --keep        leave the folder as it is at the end
# The new machine has this machine's suite and its way to the packages: /etc/apt, proxies, name
# service, certificates. Another one, such as Ubuntu 24.04, is chosen by the environment:
#   SAE_FRESH_SUITE=noble SAE_FRESH_COMPONENTS=main,universe
#   SAE_FRESH_MIRROR=URL tests/fresh_machine.sh
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
only_setup=no
keep=no
fresh=/tmp/sae-fresh
for option in "$@"; do
  case $option in
    --only-setup) only_setup=yes ;;
    --keep) keep=yes ;;
    -*) echo "fresh_machine.sh: unknown option '$option'" >&2 && exit 64 ;;
    *) fresh=$option ;;
  esac
done
[[ $(id -u) -eq 0 ]] || { echo "fresh_machine.sh: chroot needs root" >&2 && exit 69; }
command -v debootstrap >/dev/null ||
  { echo "fresh_machine.sh: install the package debootstrap first" >&2 && exit 69; }
[[ ! -e $fresh ]] || { echo "fresh_machine.sh: $fresh is already there" >&2 && exit 73; }

mounted=()
clean_up() {
  local folder
  for folder in "${mounted[@]}"; do umount --recursive "$folder" || return; done
  [[ $keep == yes ]] || rm -rf --one-file-system "$fresh"
}
trap clean_up EXIT

say() { printf '\n#### %s (%d s)\n' "$*" "$SECONDS"; }

suite=${SAE_FRESH_SUITE:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
mirror=${SAE_FRESH_MIRROR:-}
if [[ -z $mirror ]]; then
  # shellcheck disable=SC2016 # apt's own variable
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" |
    head -n 1)
  [[ -n $mirror ]] || { echo "fresh_machine.sh: 'apt-get update' first" >&2 && exit 69; }
fi
# A mount of its own: what is made within may make namespaces of mounts.
mkdir -p "$fresh"
mount --bind "$fresh" "$fresh"
mount --make-private "$fresh"
mounted=("$fresh")

script=$suite
# debootstrap may not know the newest Ubuntu; all of them are made in the same way.
[[ -e /usr/share/debootstrap/scripts/$suite ]] || script=gutsy
say "bootstrapping $suite from $mirror in $fresh"
debootstrap --variant=minbase --components="${SAE_FRESH_COMPONENTS:-main}" "$suite" "$fresh" \
  "$mirror" "$script"

if [[ -z ${SAE_FRESH_MIRROR:-} ]]; then
  rm -rf "$fresh/etc/apt"
  cp -a /etc/apt "$fresh/etc/apt"
  cp -a /usr/share/keyrings/. "$fresh/usr/share/keyrings/"
fi
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [[ ! -e $file ]] || install -D -m 644 "$file" "$fresh$file"
done
# Else installing ca-certificates takes away what this machine trusts.
[[ ! -d /usr/local/share/ca-certificates ]] ||
  cp -a /usr/local/share/ca-certificates "$fresh/usr/local/share/"
# Mounts of its own: nothing of this machine lies below the folder that is removed.
for mount in 'proc proc' 'sysfs sys' 'tmpfs dev/shm' 'devpts dev/pts'; do
  read -r kind folder <<<"$mount"
  mkdir -p "$fresh/$folder"
  mount -t "$kind" "$kind" "$fresh/$folder"
  mounted=("$fresh/$folder" "${mounted[@]}")
done

# Control groups are the machine's own.
if [[ -d /sys/fs/cgroup ]]; then
  mount --rbind /sys/fs/cgroup "$fresh/sys/fs/cgroup"
  mounted=("$fresh/sys/fs/cgroup" "${mounted[@]}")
  mount --make-rslave "$fresh/sys/fs/cgroup"
fi

# What is committed and what is not yet; no build folder, no old run.
mkdir -p "$fresh/root/sae_dist"
git -C "$root" ls-files -z --cached --others --exclude-standard |
  tar -C "$root" --null --ignore-failed-read -T - -c | tar -C "$fresh/root/sae_dist" -x

environment=(HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" LANG=C.UTF-8)
while IFS='=' read -r name value; do
  case ${name,,} in
    http_proxy | https_proxy | ftp_proxy | no_proxy | all_proxy | pip_*)
      environment+=("$name=$value")
      ;;
  esac
done < <(env)

there() {
  say "$*"
  chroot "$fresh" env -i "${environment[@]}" sh -c 'cd /root/sae_dist && exec "$@"' sh "$@"
}

if [[ $only_setup == yes ]]; then
  there cluster/setup.sh --run
  there cluster/setup.sh --all
  there cluster/setup.sh --all
else
  there cluster/quickstart.sh --recipe quick
  there tests/run.sh
  # Nothing is missing any more: this must take no second install.
  there cluster/setup.sh --all
fi
say "the fresh machine passed"

# shellcheck shell=bash
# A minimal Debian or Ubuntu in a folder, for the scripts that source this. Needs root and debootstrap.
# Its suite and its way to packages are as tests/fresh_machine.sh tells.

# Says what begins, and after how many seconds.
say() { printf '\n#### %s (%d s)\n' "$*" "$SECONDS"; }

mounted=()
# Unmounts all, and removes the folder unless `keep` is yes.
clean_up() {
  local folder
  for folder in "${mounted[@]}"; do umount --recursive "$folder" || return; done
  [[ ${keep:-no} == yes ]] || rm -rf --one-file-system "$fresh"
}

# Sets `fresh` and fills that folder: make_fresh_root FOLDER
make_fresh_root() {
  local suite mirror script file mount kind folder
  fresh=$1
  [[ $(id -u) -eq 0 ]] || { echo "${0##*/}: chroot needs root" >&2 && exit 69; }
  command -v debootstrap >/dev/null ||
    { echo "${0##*/}: install the package debootstrap first" >&2 && exit 69; }
  [[ ! -e $fresh ]] || { echo "${0##*/}: $fresh is already there" >&2 && exit 73; }

  trap clean_up EXIT

  suite=${SAE_FRESH_SUITE:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
  mirror=${SAE_FRESH_MIRROR:-}
  if [[ -z $mirror ]]; then
    # shellcheck disable=SC2016 # apt's own variable
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" |
      head -n 1)
    [[ -n $mirror ]] || { echo "${0##*/}: 'apt-get update' first" >&2 && exit 69; }
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
}

environment=(HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" LANG=C.UTF-8)
while IFS='=' read -r name value; do
  case ${name,,} in
    http_proxy | https_proxy | ftp_proxy | no_proxy | all_proxy | pip_*)
      environment+=("$name=$value")
      ;;
  esac
done < <(env)

# Runs a command there: in_fresh_root FOLDER COMMAND ...
in_fresh_root() {
  # shellcheck disable=SC2016 # of the shell there
  chroot "$fresh" env -i "${environment[@]}" sh -c 'cd "$1" && shift && exec "$@"' sh "$@"
}

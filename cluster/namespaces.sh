# shellcheck shell=bash
# Nodes on one machine, for the scripts beside this file, which source it: sets of namespaces
# (network, host name, processes, mounts, IPC) with a /run and a /dev/shm of their own; all other
# files are the machine's. They are joined by a switch in one more namespace, so that nothing appears
# in the machine's own network and no packet leaves.
# Needs: $folder (where the state is kept), die MESSAGE.
: "${folder:?}"

# Makes it. Others must not be able to lead astray what root writes there.
own_folder() {
  mkdir -p "$folder"
  [[ ! -L $folder && -O $folder ]] || die "$folder is a link, or somebody else's"
  (((8#$(stat -c %a "$folder") & 8#022) == 0)) || die "others may write to $folder"
}

# -- Processes: a namespace lives as long as its process 1 -----------------------------------------

# In clock ticks since boot; fails for a process that is gone or a zombie.
start_time() {
  local status
  status=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra status <<<"${status##*) }"
  [[ ${status[0]} != Z ]] && echo "${status[19]}"
}

# Of a namespace's process 1, if that very process still lives.
pid_of() {
  local pid started
  [[ -f $folder/pids/$1 ]] && read -r pid started <"$folder/pids/$1" &&
    [[ $(start_time "$pid") == "$started" ]] && echo "$pid"
}

# The kernel ends all that is in the namespace.
stop_namespace() {
  local pid tick
  if pid=$(pid_of "$1"); then
    kill -KILL "$pid" 2>/dev/null || true
    for ((tick = 0; tick < 100; tick++)); do
      pid_of "$1" >/dev/null || break
      sleep 0.05
    done
  fi
  rm -f "$folder/pids/$1"
}

# NAME COMMAND ...
inside() {
  local pid
  pid=$(pid_of "$1") || die "$1 is not up"
  shift
  # -r: the root of those who made it, who may live in a chroot.
  nsenter -t "$pid" -n -u -m -p -i -r -- env --chdir=/ "$@"
}

# Likewise, in the current folder.
inside_here() {
  local name=$1
  shift
  # shellcheck disable=SC2016 # The inner shell expands.
  inside "$name" sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
}

# -- Namespaces ------------------------------------------------------------------------------------

# NAME: also the host name. $folder/hosts becomes its /etc/hosts.
make_namespace() {
  local name=$1 parent pid='' first tick
  # shellcheck disable=SC2016 # The inner shell expands.
  first='hostname "$0"; exec bash -c "trap : CHLD; while :; do sleep 3600 & wait; done"'
  setsid unshare --net --uts --mount --ipc --pid --fork --kill-child --mount-proc \
    bash -c "$first" "$name" </dev/null >"$folder/log/$name.log" 2>&1 &
  parent=$!
  for ((tick = 0; tick < 500; tick++)); do
    read -r pid _ 2>/dev/null <"/proc/$parent/task/$parent/children" || true
    [[ -n $pid && $(nsenter -t "$pid" -u hostname 2>/dev/null) == "$name" ]] && break
    pid=''
    sleep 0.02
  done
  [[ -n $pid ]] || die "cannot make namespaces for $name: $(cat "$folder/log/$name.log")"
  echo "$pid $(start_time "$pid")" >"$folder/pids/$name"
  inside "$name" bash -ec "
    mount --make-rprivate /
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    mount -t tmpfs -o mode=755 tmpfs /run
    mount --bind '$folder/hosts' /etc/hosts
    ip link set lo up"
}

# NAME [ADDRESS/BITS]: a namespace with the bridge br0, and with an address of its own on it.
make_switch() {
  make_namespace "$1"
  inside "$1" ip link add br0 type bridge
  [[ -z ${2:-} ]] || inside "$1" ip addr add "$2" dev br0
  inside "$1" ip link set br0 up
}

# NAME SWITCH NUMBER ADDRESS/BITS: its eth0 is joined to the port portNUMBER of the switch.
plug_in() {
  local name=$1 switch=$2 port=port$3 address=$4 hardware_address
  inside "$switch" ip link del "$port" 2>/dev/null || true
  # The same each time: the others remember it when a node comes back.
  hardware_address=$(printf 02:00:00:4d:00:%02x "$3")
  nsenter -t "$(pid_of "$name")" -n ip link add eth0 address "$hardware_address" type veth \
    peer name "$port" netns "$(pid_of "$switch")"
  inside "$name" ip addr add "$address" dev eth0
  inside "$name" ip link set eth0 up
  inside "$switch" ip link set "$port" master br0 up
}

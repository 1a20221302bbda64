#!/usr/bin/env bash
# Trains on the hosts of a host file with mpirun, without a batch system. Resumes when ranks or hosts
# are lost: `launch.sh --help`.
set -euo pipefail

usage() {
  cat <<'END'
usage: cluster/launch.sh --hostfile FILE [--max-restarts N] [--] [options of sae_dist train]
  --hostfile FILE    hosts with their slots, as for mpirun; see cluster/hostfile.example
  --max-restarts N   restarts after lost hosts, lost ranks and other passing failures (default 5)
Other options go to sae_dist. --resume auto is added, and --run runs/<date-time> if it is missing.

All hosts need the current folder and the program under the same paths. Only rank 0 needs the data
set and the folder of --run. It runs on the host of launch.sh if the file names that host, else on
the first host that answers: then both have to be on a shared file system.

Before each attempt launch.sh asks all hosts by ssh, which must work without a password. Hosts that
do not answer within seconds are left out, and asked again before the next attempt. If a rank or a
host is lost, the attempt ends within seconds, and the next resumes from the last checkpoint. On
SIGTERM, SIGINT, SIGHUP (the terminal is closed), SIGUSR1 and SIGUSR2 the ranks save and end, and
nothing is started again. A second signal ends everything at once.

environment: SAE_DIST (the program; else sae_dist on PATH, else the build folder's), SAE_DATA and
OMP_NUM_THREADS (for the ranks), OMPI_MCA_... (parameters of Open MPI: btl_tcp_if_include,
plm_rsh_agent, hwloc_base_binding_policy, ...)
exit codes: 0, 64, 65, 66, 73, 75 and 76 as of sae_dist, which are not restarted; else that of the
last attempt; 69 if no host answered
END
}

connect_seconds=3 # A host that is slower to take a connection is left out,
probe_seconds=10  # or one that has not answered by then.
start_seconds=60  # For mpirun to start all ranks.
end_seconds=10    # For mpirun to end once ranks have.

# The terminal may be closed.
say() { echo "launch.sh: $*" >&2 || true; }

refuse() {
  say "$*"
  exit 64
}

hostfile=''
max_restarts=5
while [[ $# -gt 0 ]]; do
  case $1 in
    --hostfile | --max-restarts) [[ $# -gt 1 ]] || refuse "$1 needs a value" ;;&
    --hostfile) hostfile=$2 && shift 2 ;;
    --max-restarts) max_restarts=$2 && shift 2 ;;
    -h | --help) usage && exit 0 ;;
    --) shift && break ;;
    *) break ;;
  esac
done
[[ -n $hostfile ]] || refuse "--hostfile is missing; --help tells more"
[[ -r $hostfile ]] || refuse "cannot read the host file $hostfile"
[[ $max_restarts =~ ^[0-9]+$ ]] || refuse "--max-restarts is a number, not '$max_restarts'"
command -v mpirun >/dev/null || refuse "mpirun is missing; see cluster/setup.sh"
arguments=("$@" --resume auto)
run_is_named=no
for option in "$@"; do
  case $option in
    --resume | --resume=*) refuse "--resume is launch.sh's own: it is always auto" ;;
    --run | --run=*) run_is_named=yes ;;
  esac
done
[[ $run_is_named == yes ]] || arguments+=(--run "runs/$(date +%Y-%m-%d-%H%M%S)")

program=${SAE_DIST:-$(command -v sae_dist || true)}
[[ -n $program ]] || program=$(dirname "${BASH_SOURCE[0]}")/../build/release/src/sae_dist
[[ -x $program ]] || refuse "cannot run the program $program; set SAE_DIST"
program=$(realpath "$program")

# -- How Open MPI finds out, and ends -------------------------------------------------------------

# mpirun and its daemon on each host hold a TCP connection. Nobody writes to it while ranks compute,
# so that a cut link is noticed by TCP's keep-alive packets alone: as Open MPI sets them, after
# 300 s of silence and 9 more packets 20 s apart. Here after 3 s of silence and 3 packets 1 s apart:
# mpirun then ends with 205, and the daemon on the cut host ends its ranks. Where networks fall
# silent for longer and come back, set more.
export OMPI_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-3}
export OMPI_MCA_oob_tcp_keepalive_intvl=${OMPI_MCA_oob_tcp_keepalive_intvl:-1}
export OMPI_MCA_oob_tcp_keepalive_probes=${OMPI_MCA_oob_tcp_keepalive_probes:-3}
# A daemon that never reports ends the start; without it mpirun waits for ever.
export OMPI_MCA_orte_startup_timeout=${OMPI_MCA_orte_startup_timeout:-$start_seconds}
# ssh: no questions, and an end when the host is gone before its daemon has reported.
read -ra shell <<<"${OMPI_MCA_plm_rsh_agent:-ssh}"
if [[ ${shell[0]##*/} == ssh ]]; then
  shell+=(-o BatchMode=yes -o "ConnectTimeout=$connect_seconds" -o ServerAliveInterval=3
    -o ServerAliveCountMax=3)
fi
export OMPI_MCA_plm_rsh_agent="${shell[*]}"
if [[ $(id -u) -eq 0 ]]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

work=$(mktemp -d)
mpirun_pid=''
stops=0
trap 'rm -rf "$work"' EXIT

# mpirun passes SIGUSR1 on to all ranks, but ends them on SIGTERM and SIGINT.
on_signal() {
  stops=$((stops + 1))
  if [[ -z $mpirun_pid ]]; then
    return
  elif [[ $stops -eq 1 ]]; then
    say "asked to stop: the ranks save and end"
    kill -USR1 "$mpirun_pid" 2>/dev/null || true
  else
    end_mpirun
  fi
}
trap on_signal TERM INT HUP USR1 USR2

end_mpirun() {
  kill -TERM "$mpirun_pid" 2>/dev/null || true
  for ((tick = 0; tick < 50; tick++)); do
    is_running || return 0
    sleep 0.1
  done
  kill -KILL "$mpirun_pid" 2>/dev/null || true
}

# A zombie is not.
is_running() {
  local status
  status=$(cat "/proc/$mpirun_pid/stat" 2>/dev/null) && [[ ${status##*) } != Z* ]]
}

# -- Hosts ----------------------------------------------------------------------------------------

# Names of the file's hosts, each once.
hosts_of() { sed 's/#.*//' "$1" | awk 'NF && !seen[$1]++ {print $1}'; }

is_this_host() {
  local name=${1#*@} address
  case $name in localhost | 127.* | "$(hostname)" | "$(hostname -s)") return 0 ;; esac
  address=$(getent ahosts "$name" | awk '{print $1; exit}') && [[ -n $address ]] &&
    [[ " $(hostname -I) " == *" $address "* ]]
}

# Prints why a host cannot take part, if it cannot.
probe() {
  local command answer
  is_this_host "$1" && return
  command=$(printf 'cd %q && test -x %q && echo ready' "$PWD" "$program")
  # ssh's own limit begins anew with each step of a connection.
  answer=$(timeout -k 1 "$probe_seconds" "${shell[@]}" "$1" "$command" </dev/null \
    2>"$work/error.$1") && [[ $answer == *ready ]] && return
  case $? in
    1 | 2) echo "has no folder $PWD with $program there" ;;
    *) echo "does not answer: $(tail -n 1 "$work/error.$1")" ;;
  esac
}

# Writes the lines of the hosts that answer to $work/hosts.
choose_hosts() {
  local host hosts=() lost=() reason
  mapfile -t hosts < <(hosts_of "$hostfile")
  for host in "${hosts[@]}"; do
    probe "$host" >"$work/reason.$host" &
  done
  wait_for_all
  for host in "${hosts[@]}"; do
    reason=$(<"$work/reason.$host")
    if [[ -n $reason ]]; then
      say "left out: $host $reason"
      lost+=("$host")
    fi
  done
  awk -v lost="${lost[*]}" '
    BEGIN { count = split(lost, names); for (i = 1; i <= count; i++) out[names[i]] }
    { sub(/#.*/, "") }
    NF && !($1 in out)
  ' "$hostfile" >"$work/hosts"
  [[ -s $work/hosts ]]
}

# A signal interrupts `wait`.
wait_for_all() {
  while [[ -n $(jobs -rp) ]]; do wait || true; done
}

# -- Attempts -------------------------------------------------------------------------------------

# Sets `lead`: the host whose ranks tell whether any run; this one where it can be.
choose_lead() {
  local host
  lead=''
  for host in $(hosts_of "$work/hosts"); do
    if is_this_host "$host"; then
      lead=''
      return
    fi
    : "${lead:=$host}"
  done
}

# Whether ranks of this attempt run on the lead. Their environment says which attempt they are of.
ranks_run() {
  local command="grep -qsz '^SAE_LAUNCH=$launch\$' /proc/[0-9]*/environ"
  if [[ -z $lead ]]; then
    sh -c "$command"
  else
    timeout -k 1 "$probe_seconds" "${shell[@]}" "$lead" "$command" </dev/null 2>/dev/null
  fi
}

# mpirun waits for ever for a host that answers TCP but nothing else, or that was cut off while a
# message to it was under way, for then TCP sends no keep-alive packets. The ranks elsewhere end
# nevertheless, by their watchdogs (--stall-timeout); mpirun is ended when the lead has had none for
# a while.
watch() {
  local seen=no gone_since='' interval=1
  [[ -z $lead ]] || interval=5
  while is_running; do
    if ranks_run; then
      seen=yes gone_since=''
    elif [[ $seen == yes ]]; then
      : "${gone_since:=$SECONDS}"
      if ((SECONDS - gone_since >= end_seconds)); then
        say "no rank runs on ${lead:-this host} any more, but mpirun waits: ending it"
        kill -KILL "$mpirun_pid" 2>/dev/null || true
      fi
    fi
    for ((tick = 0; tick < 4 * interval; tick++)); do
      is_running || return 0
      sleep 0.25
    done
  done
}

# Sets `code`.
attempt() {
  local variable command=(mpirun --hostfile "$work/hosts")
  for variable in SAE_DATA OMP_NUM_THREADS; do
    [[ -z ${!variable:-} ]] || command+=(-x "$variable")
  done
  choose_lead
  launch=$(hostname).$$.$restarts
  # A session of its own: Ctrl-C in a terminal reaches this script alone.
  setsid "${command[@]}" -x "SAE_LAUNCH=$launch" "$program" "${arguments[@]}" </dev/null &
  mpirun_pid=$!
  [[ $stops -eq 0 ]] || kill -USR1 "$mpirun_pid" # It came just before.
  watch
  code=0
  wait "$mpirun_pid" || code=$?
  mpirun_pid=''
}

restarts=0
while :; do
  code=69
  if choose_hosts; then
    say "attempt $((restarts + 1)): $(hosts_of "$work/hosts" | tr '\n' ' ')"
    [[ $stops -eq 0 ]] && attempt
  else
    say "no host answers"
  fi
  case $code in 0 | 64 | 65 | 66 | 73 | 75 | 76) exit "$code" ;; esac
  if [[ $stops -gt 0 ]]; then
    # Nothing ran, or had come so far as to take a signal: to be run again, as after 75.
    case $code in 69 | 138) exit 75 ;; esac
    exit "$code"
  fi
  if [[ $restarts -ge $max_restarts ]]; then
    say "ended with $code, after $restarts restarts"
    exit "$code"
  fi
  restarts=$((restarts + 1))
  say "ended with $code: restart $restarts of at most $max_restarts"
  [[ $code -ne 69 ]] || sleep "$probe_seconds"
done

# shellcheck shell=bash
# What the batch scripts of this folder share; they source it. It sets `program` and `launcher`.
slurm_folder=$(dirname "${BASH_SOURCE[0]}")

say() { echo "$(date '+%F %T') ${SLURM_JOB_NAME:-} ${SLURM_JOB_ID:-}: $*"; }

# Nothing that another attempt could help.
refuse() {
  say "$*"
  exit 64
}

# -- Program and launcher --------------------------------------------------------------------------

if [[ -r $slurm_folder/site.conf ]]; then
  # shellcheck source=slurm/site.conf.example
  . "$slurm_folder/site.conf"
fi

set -uo pipefail # Not before: modules do not bear it.

program=${SAE_DIST:-$(command -v sae_dist || true)}
if [[ -z $program ]]; then
  for program in "$slurm_folder"/../build/{release,ci,debug}/src/sae_dist; do
    [[ ! -x $program ]] || break
  done
fi
[[ -x $program ]] || refuse "There is no program $program; build it, or set SAE_DIST."

launcher=${SAE_LAUNCHER:-auto}
if [[ $launcher == auto ]]; then
  launcher=mpirun
  kinds=$(srun --mpi=list 2>&1) # Whole: under pipefail a pipe that is closed early is a failure.
  [[ $kinds != *pmix* ]] || launcher=srun
fi

# mpirun and its daemon on each node hold a connection that is silent while ranks compute. Without
# these parameters a node that is cut off is noticed after eight minutes, with them after some
# seconds. srun leaves that to Slurm.
export OMPI_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-3}
export OMPI_MCA_oob_tcp_keepalive_intvl=${OMPI_MCA_oob_tcp_keepalive_intvl:-1}
export OMPI_MCA_oob_tcp_keepalive_probes=${OMPI_MCA_oob_tcp_keepalive_probes:-3}

# MPI_Init ends with a barrier, a fence of PMIx. On fewer nodes than TreeWidth (50) the tree by which
# Slurm 22.05 makes it waits for nobody, and a rank that gets messages too early ends with a
# segmentation fault. The ring waits for all.
export SLURM_PMIX_FENCE=${SLURM_PMIX_FENCE:-ring}

# Becomes the launcher, with these options of the program: call it in a subshell. `srun_options` and
# `mpirun_options` choose tasks; none: all of the allocation.
srun_options=()
mpirun_options=()
exec_launcher() {
  local options
  case $launcher in
    srun)
      # Since 22.05 srun does not take --cpus-per-task from sbatch.
      [[ -z ${SLURM_CPUS_PER_TASK:-} ]] || srun_options+=(--cpus-per-task "$SLURM_CPUS_PER_TASK")
      read -ra options <<<"${SAE_SRUN_OPTIONS:-}"
      # All ranks end when one fails. If srun ended them at once, it would return their 143 instead
      # of the code of the rank that failed. sbatch --export=NONE does not hold for what is set here.
      exec srun --mpi=pmix --kill-on-bad-exit=0 --wait=10 --export=ALL \
        "${srun_options[@]}" "${options[@]}" "$program" "$@"
      ;;
    mpirun)
      # mpirun would bind two ranks of different jobs to one core. The system spreads what is not
      # bound over the cores of the job.
      read -ra options <<<"${SAE_MPIRUN_OPTIONS:---bind-to none}"
      exec mpirun "${options[@]}" "${mpirun_options[@]}" "$program" "$@"
      ;;
    *) refuse "SAE_LAUNCHER is auto, srun or mpirun, not $launcher." ;;
  esac
}

# -- Arguments -------------------------------------------------------------------------------------

# Whether OPTION is among ARGUMENTS: is_given OPTION ARGUMENTS ...
is_given() {
  local option=$1 argument
  shift
  for argument in "$@"; do
    [[ $argument != "$option" && $argument != "$option="* ]] || return 0
  done
  return 1
}

# The value of OPTION in ARGUMENTS: value_of OPTION ARGUMENTS ...
value_of() {
  local option=$1 value='' previous='' argument
  shift
  for argument in "$@"; do
    [[ $previous != "$option" ]] || value=$argument
    [[ $argument != "$option="* ]] || value=${argument#*=}
    previous=$argument
  done
  echo "$value"
}

# ARGUMENTS without OPTION and its value, in `rest`: set_without OPTION ARGUMENTS ...
set_without() {
  local option=$1
  shift
  rest=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      "$option") shift ;;
      "$option="*) ;;
      *) rest+=("$1") ;;
    esac
    [[ $# -eq 0 ]] || shift
  done
}

# -- Training that goes on -------------------------------------------------------------------------

# What may pass: 70 a failure of communication or a rank that was silent for too long, 1 and 255
# srun or mpirun that could not start or reach all ranks, 137 and 143 a rank that was killed, 138 one
# that SIGUSR1 found at its start, 205 a lost node under mpirun. What cannot: wrong options (64),
# damaged or missing input (65, 66), a folder that cannot be written or belongs to another job (73),
# training that diverges (76), a crash of the program.
may_pass() {
  case $1 in 1 | 70 | 75 | 137 | 138 | 143 | 205 | 255) return 0 ;; esac
  return 1
}

# A task of an array by its own name: the last one's job id is also that of the whole array.
own_id() {
  if [[ -n ${SLURM_ARRAY_JOB_ID:-} ]]; then
    echo "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
  else
    echo "$SLURM_JOB_ID"
  fi
}

asked_to_stop=no
ended_by_slurm=no
launch_pid=''

on_usr1() {
  asked_to_stop=yes
  say "asked to stop: the ranks save and end"
  [[ -z $launch_pid ]] || kill -USR1 "$launch_pid" 2>/dev/null
}

# scancel, or a time limit that no SIGUSR1 announced: the ranks were told as well. Nothing is to be
# started again, and this script has to stay until they have saved.
on_term() {
  ended_by_slurm=yes
  say "ended by Slurm"
}

# Sets `code`. A signal interrupts `wait`, perhaps as the launcher ends; its own code is then still to
# be had. There is none (127) once it was given.
wait_for_launcher() {
  local last
  wait "$launch_pid"
  code=$?
  while kill -0 "$launch_pid" 2>/dev/null; do
    wait "$launch_pid"
    code=$?
  done
  wait "$launch_pid"
  last=$?
  [[ $last -eq 127 ]] || code=$last
}

newest_checkpoint() {
  local checkpoints=("$1"/checkpoints/step-*.h5) # Their names sort by step.
  echo "${checkpoints[-1]}"
}

# Whether to try again: RUN has a newer checkpoint than NEWEST, or this is the job's first attempt in
# a row that left none: brings_progress RUN NEWEST
brings_progress() {
  local run=$1 newest=$2 mark=$1/no-new-checkpoint.txt
  if [[ $(newest_checkpoint "$run") != "$newest" ]]; then
    rm -f "$mark"
  elif [[ -e $mark && $(<"$mark") == "$(own_id)" ]]; then
    rm -f "$mark"
    return 1
  else
    mkdir -p "$run" && own_id >"$mark"
  fi
  return 0
}

# Trains with these options, from the last checkpoint if there is one. Then ends the job with the
# program's exit code, or has it requeued. Without --run the folder is runs/NAME-JOB.
train() {
  local arguments=("$@") code=75 run newest restarts=${SLURM_RESTART_COUNT:-0}
  local most=${MAX_RESTARTS:-20}
  ! is_given --resume "$@" || refuse "--resume is the batch script's own: it is always auto."
  is_given --run "$@" || arguments+=(--run "runs/$SLURM_JOB_NAME-$(own_id)")
  if [[ ${SLURM_CPUS_PER_TASK:-1} -gt 1 ]] && ! is_given --threads "$@"; then
    arguments+=(--threads "$SLURM_CPUS_PER_TASK")
  fi
  run=$(value_of --run "${arguments[@]}")
  say "$program by $launcher on ${SLURM_JOB_NODELIST:-}, restart $restarts: ${arguments[*]}"

  newest=$(newest_checkpoint "$run")
  # Of SIGUSR1 and SIGTERM to this script; srun and mpirun pass SIGUSR1 on to all ranks.
  trap on_usr1 USR1
  trap on_term TERM
  if [[ $asked_to_stop == no ]]; then
    exec_launcher "${arguments[@]}" --resume auto &
    launch_pid=$!
    wait_for_launcher
    launch_pid=''
  fi
  if [[ $code -eq 0 && ! -e $run/model.h5 ]]; then
    # srun may return 0 although its ranks were killed.
    say "no $run/model.h5 although $launcher tells no failure"
    code=143
  fi
  if [[ $ended_by_slurm == yes ]] || ! may_pass "$code"; then
    say "ended with exit code $code"
    exit "$code"
  fi
  if ((restarts >= most)); then
    say "ended with exit code $code; not requeued after $restarts restarts (MAX_RESTARTS)"
    exit "$code"
  fi
  if ! brings_progress "$run" "$newest"; then
    say "ended with exit code $code; not requeued: two attempts in a row left no new checkpoint"
    exit "$code"
  fi
  say "ended with exit code $code: requeued, restart $((restarts + 1)) of at most $most"
  # Slurm ends this script at once, perhaps with scontrol before that knows of its success.
  scontrol requeue "$(own_id)" || [[ $ended_by_slurm == yes ]] || say "it could not be requeued"
  exit "$code"
}

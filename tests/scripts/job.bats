# slurm/job.sh without Slurm, by stand-ins for `srun`, `mpirun` and `scontrol`.

setup() {
  cd "$BATS_TEST_TMPDIR"
  load stubs
  # What job.sh calls; each logs how it was called.
  stub srun '[ "$1" != --mpi=list ] || { echo "MPI plugin types are: pmix"; exit; }
    echo "srun $*" >>calls; . ./does'
  stub mpirun 'echo "mpirun $*" >>calls; . ./does'
  stub scontrol 'echo "scontrol $*" >>calls'
  export SLURM_JOB_ID=7 SLURM_JOB_NAME=train
  unset SLURM_RESTART_COUNT MAX_RESTARTS SAE_LAUNCHER SLURM_CPUS_PER_TASK SLURM_ARRAY_JOB_ID
  checkpoints=runs/train-7/checkpoints
}

# An attempt in which the program runs these commands: attempt COMMANDS [OPTIONS ...]
attempt() {
  echo "$1" >does
  shift
  : >calls
  run bash -c '. "$0"/slurm/job.sh; train "$@"' "$SAE_SOURCE_DIR" "$@"
}

saves() { echo "mkdir -p $checkpoints; : >$checkpoints/step-000000000$1.h5"; }

# What begins with ! fails no test.
not() { if "$@"; then return 1; fi; }

is_requeued() { grep -q '^scontrol requeue 7$' calls; }

@test "what may pass is requeued, what cannot is not" {
  for code in 1 70 75 137 138 143 205 255; do
    rm -rf runs
    attempt "exit $code"
    [ "$status" -eq "$code" ]
    is_requeued
  done
  for code in 64 65 66 73 76 134 139; do
    attempt "exit $code"
    [ "$status" -eq "$code" ]
    not is_requeued
  done
}

@test "a run that is done ends the job" {
  attempt "mkdir -p runs/train-7; : >runs/train-7/model.h5"
  [ "$status" -eq 0 ]
  not is_requeued
}

@test "without a model 0 is no success" {
  attempt "exit 0"
  [ "$status" -eq 143 ]
  is_requeued
}

@test "an attempt without a new checkpoint is tried again once" {
  attempt "exit 137"
  is_requeued
  SLURM_RESTART_COUNT=1 attempt "exit 137"
  [ "$status" -eq 137 ]
  not is_requeued
  [[ $output == *"two attempts in a row left no new checkpoint"* ]]
}

@test "a job with new checkpoints is requeued again" {
  for step in 1 2 3; do
    attempt "$(saves "$step"); exit 137"
    is_requeued
    attempt "exit 137"
    is_requeued
  done
  attempt "exit 137"
  not is_requeued
}

@test "attempts of another job do not count" {
  attempt "exit 137"
  SLURM_JOB_ID=8 attempt "exit 137" --run runs/train-7
  grep -q '^scontrol requeue 8$' calls
}

@test "a signal before the start starts nothing and is no progress" {
  : >does
  for restart in 0 1; do
    run bash -c '. "$0"/slurm/job.sh; asked_to_stop=yes; train' "$SAE_SOURCE_DIR"
    [ "$status" -eq 75 ]
    [ "$restart" -eq 1 ] || [[ $output == *"requeued, restart 1"* ]]
  done
  [[ $output == *"not requeued"* ]]
  not grep -q srun calls
}

@test "a requeue by which Slurm ends script and scontrol has not failed" {
  stub scontrol 'echo "scontrol $*" >>calls; kill -TERM $PPID; exit 143'
  attempt "exit 70"
  is_requeued
  [[ $output != *"could not be requeued"* ]]
  stub scontrol 'exit 1'
  attempt "exit 70" --run elsewhere
  [[ $output == *"could not be requeued"* ]]
}

@test "MAX_RESTARTS limits restarts" {
  MAX_RESTARTS=3 SLURM_RESTART_COUNT=3 attempt "exit 70"
  not is_requeued
  [[ $output == *"not requeued after 3 restarts"* ]]
}

@test "a task of an array is requeued by its own name" {
  SLURM_ARRAY_JOB_ID=5 SLURM_ARRAY_TASK_ID=2 attempt "exit 70"
  grep -q '^scontrol requeue 5_2$' calls
  grep -q -- '--run runs/train-5_2' calls
}

@test "srun gives the ranks all of the environment, and the code of the one that failed" {
  attempt "exit 64"
  grep -q -- '--kill-on-bad-exit=0 --wait=10 --export=ALL' calls
}

@test "srun is taken however long its list of kinds is" {
  stub srun '[ "$1" != --mpi=list ] || { echo "pmix"; seq 100000; exit; }
    echo "srun $*" >>calls; . ./does'
  for _ in 1 2 3 4 5; do
    attempt "exit 64"
    grep -q '^srun ' calls
  done
}

@test "mpirun is taken where srun has no pmix, or a user says so" {
  SAE_LAUNCHER=mpirun attempt "exit 64"
  grep -q '^mpirun ' calls
  stub srun 'echo "none pmi2"'
  attempt "exit 64"
  grep -q '^mpirun ' calls
}

@test "threads follow the cores of a task unless they are given" {
  SLURM_CPUS_PER_TASK=4 attempt "exit 64"
  grep -q -- '--threads 4 --resume auto' calls
  SLURM_CPUS_PER_TASK=4 attempt "exit 64" --threads=2
  not grep -q -- '--threads 4' calls
}

@test "--resume is refused" {
  attempt "exit 0" --resume never
  [ "$status" -eq 64 ]
  [ ! -s calls ]
}

@test "options are found in both spellings, the last one counts" {
  . "$SAE_SOURCE_DIR/slurm/job.sh"
  is_given --run --run=a
  is_given --run --seed 1 --run a
  not is_given --run --runs a
  [ "$(value_of --run --run a --run=b)" = b ]
  set_without --run --seed 1 --run a --run=b --quiet
  [ "${rest[*]}" = "--seed 1 --quiet" ]
}

# slurm/array.sbatch without Slurm, by stand-ins for `srun` and `scontrol`.

setup() {
  cd "$BATS_TEST_TMPDIR"
  load stubs
  stub scontrol 'echo "   Command=$SAE_SOURCE_DIR/slurm/array.sbatch sweep.txt"'
  # Logs the options of the program, one a line.
  stub srun '[ "$1" != --mpi=list ] || { echo "MPI plugin types are: pmix"; exit; }
    while [ "$1" != "$SAE_DIST" ]; do shift; done
    shift; printf "%s\n" "$@" >>calls; exit 64'
  export SLURM_JOB_ID=7 SLURM_JOB_NAME=array SLURM_ARRAY_JOB_ID=5
  unset SLURM_RESTART_COUNT SAE_LAUNCHER SLURM_CPUS_PER_TASK VARY VALUES
}

# Task N of an array with these arguments: task N ARGUMENTS ...
task() {
  : >calls
  local number=$1
  shift
  SLURM_ARRAY_TASK_ID=$number run bash "$SAE_SOURCE_DIR/slurm/array.sbatch" "$@"
}

options() { tr '\n' ' ' <calls; }

@test "each task takes its line, and a folder named after the file" {
  printf '%s\n' '# rates' '' '--momentum 0.5 --units 20,10' '  ' '--momentum 0.9 # usual' >sweep.txt
  task 1 sweep.txt
  [ "$status" -eq 64 ]
  [ "$(options)" = "--momentum 0.5 --units 20,10 --run runs/sweep-1 --resume auto " ]
  task 2 sweep.txt
  [ "$(options)" = "--momentum 0.9 --run runs/sweep-2 --resume auto " ]
}

@test "options behind the file hold for all tasks" {
  mkdir lists
  printf -- '--seed 1\r\n--seed 2' >lists/a.b.txt # The last line has no end.
  task 2 lists/a.b.txt --recipe quick --run=results
  [ "$(options)" = "--recipe quick --seed 2 --run results/a.b-2 --resume auto " ]
}

@test "quotes hold a value together, and nothing is expanded" {
  echo '--data "my data.h5" --initial-model '"'\$(touch no) *'" >sweep.txt
  task 1 sweep.txt
  [ "$(sed -n 2p calls)" = "my data.h5" ]
  [ "$(sed -n 4p calls)" = '$(touch no) *' ]
  [ ! -e no ]
}

@test "what no task can train is refused" {
  printf '%s\n' '--seed 1' '--run a' '--units "20' '--resume never' >sweep.txt
  for number in 0 5; do
    task "$number" sweep.txt
    [ "$status" -eq 64 ]
    [[ $output == *"There is no line $number of options, counted from 1, in sweep.txt, which has 4."* ]]
  done
  task 2 sweep.txt
  [ "$status" -eq 64 ]
  [[ $output == *"--run does not go into a line of sweep.txt"* ]]
  task 3 sweep.txt
  [ "$status" -eq 64 ]
  [[ $output == *'A quote has no end in line 3 of options in sweep.txt: --units "20'* ]]
  task 4 sweep.txt
  [ "$status" -eq 64 ]
  [[ $output == *"--resume does not go into a line of sweep.txt"* ]]
  task 1 none.txt
  [ "$status" -eq 64 ]
  [[ $output == *"There is no file of options none.txt."* ]]
  VARY=momentum task 1 sweep.txt
  [ "$status" -eq 64 ]
  [[ $output == *"VARY and VALUES do not go with a file of options, sweep.txt."* ]]
  [ ! -s calls ]
}

@test "without a file seeds or values are varied" {
  task 3 --recipe quick --run runs/seeds
  [ "$(options)" = "--recipe quick --seed 3 --run runs/seeds/seed-3 --resume auto " ]
  VARY=recipe VALUES="quick blog" task 1
  [ "$(options)" = "--recipe blog --run runs/array-5/recipe-blog --resume auto " ]
}

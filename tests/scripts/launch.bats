# cluster/launch.sh without other hosts: `ssh` and `mpirun` are made here.

setup() {
  cd "$BATS_TEST_TMPDIR"
  load stubs
  # ssh HOST COMMAND, with options of ssh before them: hosts named lost* do not answer, those named
  # bare* have no program, on the others no rank runs.
  stub shell 'host=$1; shift
    echo "$host $*" >>asked
    case $host in
      lost*) echo "no route to $host" >&2; exit 255 ;;
      bare*) exit 1 ;;
    esac
    case $* in *grep*) exit 1 ;; *) echo ready ;; esac'
  # Ends with each of the codes in turn.
  stub mpirun 'echo "$*" >>calls
    cat "$2" >>hosts_taken
    read -r code <codes
    sed -i 1d codes
    exit "${code:-0}"'
  export OMPI_MCA_plm_rsh_agent=$PWD/bin/shell
  printf '%s\n' 'first slots=2  # A comment.' '' '# None.' 'lost1 slots=4' 'bare' 'second' 'second' >hosts
  : >codes
}

launch() { run "$SAE_SOURCE_DIR/cluster/launch.sh" --hostfile hosts "$@"; }

@test "hosts that do not answer or have no program are left out and named" {
  launch
  [ "$status" -eq 0 ]
  [ "$(sed 's/ *$//' hosts_taken)" = "$(printf '%s\n' 'first slots=2' second second)" ]
  [[ $output == *"left out: lost1 does not answer: no route to lost1"* ]]
  [[ $output == *"left out: bare has no folder $PWD with $PWD/program there"* ]]
}

@test "no host answers" {
  echo lost2 >hosts
  launch --max-restarts 0
  [ "$status" -eq 69 ]
  [[ $output == *"no host answers"* ]]
}

@test "what may pass is tried again, with all hosts asked anew" {
  printf '%s\n' 70 205 0 >codes
  launch
  [ "$status" -eq 0 ]
  [ "$(wc -l <calls)" -eq 3 ]
  [ "$(grep -c '^lost1 ' asked)" -eq 3 ]
}

@test "what cannot pass is not tried again" {
  for code in 64 65 66 73 75 76; do
    : >calls
    echo "$code" >codes
    launch
    [ "$status" -eq "$code" ]
    [ "$(wc -l <calls)" -eq 1 ]
  done
}

@test "the run gets a folder by its time unless it is named, and is resumed" {
  launch -- --config some.cfg
  grep -qE -- '--config some.cfg --resume auto --run runs/[0-9-]+$' calls
  launch -- --run=here
  grep -qE -- '--run=here --resume auto$' calls
}

@test "its own options are checked" {
  launch --max-restarts many
  [ "$status" -eq 64 ]
  launch --resume never
  [ "$status" -eq 64 ]
  run "$SAE_SOURCE_DIR/cluster/launch.sh" --seed 1
  [ "$status" -eq 64 ]
  [ ! -e calls ]
}

# cluster/namespaces.sh, as far as it needs no root.

setup() {
  cd "$BATS_TEST_TMPDIR"
  umask 022
}

own() { run bash -c 'folder=$1; die() { echo "$@"; exit 1; }; . "$0"/cluster/namespaces.sh; own_folder' \
  "$SAE_SOURCE_DIR" "$1"; }

@test "a folder that only we can write to is taken" {
  own "$PWD/new/one"
  [ "$status" -eq 0 ]
  own "$PWD/new/one"
  [ "$status" -eq 0 ]
}

@test "a link, and a folder of all, are not" {
  mkdir -p there all
  ln -s there link
  own "$PWD/link"
  [ "$status" -eq 1 ]
  chmod 1777 all
  own "$PWD/all"
  [ "$status" -eq 1 ]
  [[ $output == "others may write to "*/all ]]
}

@test "the default folders are in no folder of all" {
  for kind in netns slurm; do
    run "$SAE_SOURCE_DIR/cluster/$kind-cluster" -h
    [[ $output == *"/var/lib/sae_dist/$kind-cluster"* ]]
    [[ $output != */tmp/* ]]
  done
}

# cluster/modulefile, at the place where it is installed.

setup() {
  cd "$BATS_TEST_TMPDIR"
  prefix=$(pwd -P)/opt/sae
  modules=$prefix/share/sae_dist/modulefiles/sae_dist
  mkdir -p "$prefix/bin" "$modules"
  cp "$SAE_SOURCE_DIR/cluster/modulefile" "$modules/1.2.3"
  printf '#!/bin/sh\necho this one\n' >"$prefix/bin/sae_dist"
  chmod 755 "$prefix/bin/sae_dist"
  export MODULEPATH=${modules%/*}
  unset MODULESHOME LOADEDMODULES _LMFILES_ SAE_DIST PYTHONPATH CMAKE_PREFIX_PATH
}

module() {
  eval "$(modulecmd bash "$@")"
}

@test "the module finds program, library and Python module below its own prefix" {
  module load sae_dist
  [ "$(sae_dist)" = "this one" ]
  [ "$SAE_DIST" = "$prefix/bin/sae_dist" ]
  [ "$PYTHONPATH" = "$prefix/share/sae_dist/python" ]
  [ "$CMAKE_PREFIX_PATH" = "$prefix" ]
  [[ $MANPATH == "$prefix/share/man"* ]]
  [[ $LOADEDMODULES == sae_dist/1.2.3 ]]
}

@test "unloading takes all of it back" {
  before=$PATH
  module load sae_dist
  module unload sae_dist
  [ "$PATH" = "$before" ]
  [ -z "${SAE_DIST:-}${PYTHONPATH:-}${CMAKE_PREFIX_PATH:-}" ]
}

@test "modules tells what it is" {
  run modulecmd bash whatis sae_dist
  [[ $output == *"trains autoencoders"* ]]
}

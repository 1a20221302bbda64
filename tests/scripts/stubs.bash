# Stand-ins for what a script calls: in $PWD/bin, which comes first on PATH.

mkdir bin
printf '#!/bin/sh\n' >program
chmod +x program
export PATH=$PWD/bin:$PATH SAE_DIST=$PWD/program

# stub NAME COMMANDS
stub() {
  printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
  chmod +x "bin/$1"
}

#!/usr/bin/env bash
# Installs TensorBoard from PyPI into a virtual environment, unless it is there.
# usage: tests/e2e/install_tensorboard.sh PYTHON FOLDER
set -euo pipefail

version=2.21.0
python=$1 folder=$2
installed=$("$folder/bin/tensorboard" --version 2>/dev/null) || installed=none
if [[ $installed != "$version" ]]; then
  "$python" -m venv --clear "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --retries 5 tensorboard==$version
fi

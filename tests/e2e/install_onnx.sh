#!/usr/bin/env bash
# Installs ONNX and its runtime from PyPI into a virtual environment, unless they are there.
# usage: tests/e2e/install_onnx.sh PYTHON FOLDER
set -euo pipefail

versions='1.23.2 1.32.0'
python=$1 folder=$2
installed=$("$folder/bin/python" -c 'import h5py, numpy, onnx, onnxruntime
print(onnx.__version__, onnxruntime.__version__)' 2>/dev/null) || installed=none
if [[ $installed != "$versions" ]]; then
  "$python" -m venv --clear "$folder"
  read -r onnx runtime <<<"$versions"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --retries 5 \
    "onnx==$onnx" "onnxruntime==$runtime" numpy h5py
fi

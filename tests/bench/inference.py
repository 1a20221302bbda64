#!/usr/bin/env python3
"""Throughput of predict and encode over a data set in a file, from its opening to the published
result. Wants the machine for itself.

usage: tests/bench/inference.py [--ranks 2] [--samples 200000] [--rounds 5] [--units 1000,1000,1000]
           [--program build/release/src/sae_dist]

Images of 28x28 random bytes, weights as they are before training; both are made first, in a
temporary folder, which needs about 1 GB for the codes. Figures: samples/s of the command as it tells
them, and the seconds of the whole job with its start; median, least and largest of the rounds, in
which the commands take turns.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import h5py
import numpy as np

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[2]
SIDE = 28


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", default="2")
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--units", default="1000,1000,1000")
    parser.add_argument("--program", type=pathlib.Path,
                        default=SOURCE_DIR / "build/release/src/sae_dist")
    return parser.parse_args()


def write_samples(path, samples):
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        file.attrs.update({"format": "sae-dataset", "version": 1, "name": "random", "classes": 10})
        images = file.create_dataset("train/images", (samples, SIDE, SIDE), np.uint8,
                                     chunks=(300, SIDE, SIDE), fletcher32=True)
        for begin in range(0, samples, 10_000):
            count = min(10_000, samples - begin)
            images[begin:begin + count] = random.integers(256, size=(count, SIDE, SIDE),
                                                          dtype=np.uint8)
        file["train/labels"] = random.integers(10, size=samples, dtype=np.uint8)


def main():
    options = arguments()
    program = str(options.program.resolve())
    mpirun = ["mpirun", "-np", options.ranks, program]
    with tempfile.TemporaryDirectory(prefix="sae-bench-") as folder:

        def run(*command):
            start = time.monotonic()
            done = subprocess.run(command, cwd=folder, check=True, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return done.stdout, time.monotonic() - start

        write_samples(f"{folder}/data.h5", options.samples)
        run(program, "--run", "run", "--data", "data.h5", "--units", options.units,
            "--validation-size", "1", "--pretrain-epochs", "0", "--finetune-epochs", "0")
        rates = {"predict": [], "encode": []}
        seconds = {command: [] for command in rates}
        for _ in range(options.rounds):
            for command, found in rates.items():
                pathlib.Path(f"{folder}/result.h5").unlink(missing_ok=True)
                told, whole = run(*mpirun, command, "run/model.h5", "--data", "data.h5",
                                  "--split", "train", "--validation-size", "0",
                                  "--output", "result.h5")
                found.append(float(re.search(r"([\d,]+) samples/s", told)[1].replace(",", "")))
                seconds[command].append(whole)
        for command, found in rates.items():
            print(f"{command}: {statistics.median(found):,.0f} samples/s "
                  f"({min(found):,.0f} to {max(found):,.0f}); whole job "
                  f"{statistics.median(seconds[command]):.2f} s "
                  f"({min(seconds[command]):.2f} to {max(seconds[command]):.2f})")


if __name__ == "__main__":
    main()

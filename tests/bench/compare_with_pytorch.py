#!/usr/bin/python3
"""Runs `sae_dist bench` and torch_ddp.py in turn and prints samples/s over all ranks, medians of
the rounds, and their ratio. Exit code 77 without PyTorch."""

import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NOT_RUN = 77
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=HERE.parents[1] / "build/release/src/sae_dist",
                        type=pathlib.Path)
    parser.add_argument("--mpiexec", default="mpirun", help="with its options, as one word")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--batch", type=int, default=100, help="samples a rank")
    parser.add_argument("--units", default="2000,2000,2000")
    parser.add_argument("--stages", nargs="+", default=["pretrain1", "pretrain2", "finetune"])
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"],
                        choices=["float32", "bfloat16"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3,
                        help="of each stage in a round, for each program")
    return parser.parse_args()


def describe_pytorch():
    """Its version and BLAS; warns of a slow one. None where it is missing."""
    try:
        import torch
    except ImportError:
        return None
    settings = torch.__config__.show()
    found = [match[1] for match in (re.search(r"(MKL-DNN v[\d.]+)", settings),
                                    re.search(r"(BLAS_INFO=\w+)", settings)) if match]
    library = blas_library(torch)
    if library and not any(name in library for name in ("openblas", "mkl", "blis", "atlas")):
        print(f"warning: PyTorch uses the reference BLAS ({library}), which is about ten times "
              "slower: install libopenblas0-pthread", file=sys.stderr)
    found.append(f"BLAS {library or 'of its own'}")
    return f"PyTorch {torch.__version__}, {', '.join(found)}"


def blas_library(torch):
    """The file of the BLAS that PyTorch has loaded; None if it lies within PyTorch."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    maps = pathlib.Path("/proc/self/maps").read_text().splitlines()
    files = sorted({line.split()[-1] for line in maps if len(line.split()) >= 6})
    blas = [file for file in files if re.match(r"lib(blas|openblas|mkl|blis|cblas)",
                                               pathlib.Path(file).name)]
    return os.path.realpath(blas[0]) if blas else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_pytorch(options, stage, precision):
    """Samples per second over all ranks."""
    environment = {**os.environ, **ONE_THREAD, "MASTER_ADDR": "127.0.0.1",
                   "MASTER_PORT": str(free_port()), "GLOO_SOCKET_IFNAME": "lo",
                   "WORLD_SIZE": str(options.ranks)}
    command = [sys.executable, str(HERE / "torch_ddp.py"), "--stage", stage, "--precision",
               precision, "--batch", str(options.batch), "--units", *options.units.split(","),
               "--seconds", str(options.seconds)]
    with tempfile.TemporaryFile("w+") as output:
        ranks = [subprocess.Popen(command, env={**environment, "RANK": str(rank)}, stdout=output)
                 for rank in range(options.ranks)]
        while None in (codes := [rank.poll() for rank in ranks]) and not any(codes):
            time.sleep(0.05)
        for rank in ranks:  # What is left waits for one that has failed.
            rank.kill()
            rank.wait()
        if any(codes):
            sys.exit(f"torch_ddp.py failed with exit codes {codes}")
        output.seek(0)
        return json.loads(output.read())["samples_per_second"]


def run_sae_dist(options, precision):
    """The whole report, of all stages."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [*options.mpiexec.split(), "-np", str(options.ranks), str(options.program),
                   "bench", "--units", options.units, "--batch-size",
                   str(options.batch * options.ranks), "--precision", precision, "--momentum", "0",
                   "--threads", "1", "--steps-only", "--seconds", str(options.seconds), "--json",
                   str(report)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(report.read_text())


def main():
    options = parse()
    pytorch = describe_pytorch()
    if pytorch is None:
        print("There is no PyTorch for this Python; on Debian: apt-get install python3-torch "
              "libopenblas0-pthread, and /usr/bin/python3.", file=sys.stderr)
        return NOT_RUN
    for program in (options.program, options.mpiexec.split()[0]):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not a program; see --help.")
    ours, theirs = {}, {}
    libraries = ""
    for _ in range(options.rounds):
        for precision in options.precisions:
            report = run_sae_dist(options, precision)
            libraries = report["libraries"]
            for stage in report["stages"]:
                ours.setdefault((precision, stage["stage"]), []).append(
                    stage["samples_per_second"])
            for stage in options.stages:
                theirs.setdefault((precision, stage), []).append(
                    run_pytorch(options, stage, precision))
    print(f"{libraries}\n{pytorch}\n")
    print(f"784-{options.units.replace(',', '-')}-10, {options.ranks} ranks of one thread, "
          f"{options.batch} samples a rank; samples/s over all ranks, medians of "
          f"{options.rounds} rounds\n")
    print(f"  {'precision':<10} {'stage':<10} {'sae_dist':>10} {'PyTorch':>10} {'ratio':>7}")
    for (precision, stage), rates in theirs.items():
        mine, other = statistics.median(ours[precision, stage]), statistics.median(rates)
        print(f"  {precision:<10} {stage:<10} {mine:>10,.0f} {other:>10,.0f} {mine / other:>7.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

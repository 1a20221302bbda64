#!/usr/bin/python3
"""Runs `sae_dist bench` and torch_training.py in turn on this machine, the same global minibatch and
momentum, and prints samples/s, medians of the rounds, and the ratio to the best of PyTorch's modes: in
one process of as many threads as there are ranks and as DistributedDataParallel, each eager and by
torch.compile. With --recipes, the time from the command to a trained model instead, and its test
error: `sae_dist --recipe` and torch_recipes.py in turn. Exit code 77 without PyTorch."""

import argparse
import itertools
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
MODES = [" ".join(words) for words in itertools.product(("process", "ddp"), ("eager", "compile"))]


def has_native_bfloat16():
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=HERE.parents[1] / "build/release/src/sae_dist",
                        type=pathlib.Path)
    parser.add_argument("--mpiexec", default="mpirun", help="with its options, as one word")
    parser.add_argument("--ranks", type=int, default=2,
                        help="of one thread each; PyTorch has as many threads or ranks")
    parser.add_argument("--batch", type=int, default=200, help="samples over all ranks")
    parser.add_argument("--units", default="2000,2000,2000")
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--stages", nargs="+", default=["pretrain1", "pretrain2", "finetune"])
    parser.add_argument("--modes", nargs="+", default=MODES, choices=MODES)
    parser.add_argument("--precisions", nargs="+", choices=["float32", "bfloat16"],
                        default=["float32"] + has_native_bfloat16() * ["bfloat16"],
                        help="bfloat16 by default where the processor has it")
    parser.add_argument("--recipes", nargs="+", default=[], help="tutorial, minute, best ...")
    parser.add_argument("--data", type=pathlib.Path, default=HERE.parents[1] / "data/mnist.h5")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3,
                        help="of each stage in a round, for each program")
    return parser.parse_args()


def describe_pytorch():
    """Its version and libraries. None where it is missing."""
    try:
        import torch
    except ImportError:
        return None
    found = re.search(r"oneDNN v[\d.]+|MKL-DNN v[\d.]+", torch.__config__.show())
    return f"PyTorch {torch.__version__}, {found[0] if found else 'without oneDNN'}"


def processor():
    name = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return name[1] if name else "an unknown processor"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_pytorch(options, mode, stage, precision):
    """Samples per second over all ranks."""
    place, way = mode.split()
    ranks, threads = (1, options.ranks) if place == "process" else (options.ranks, 1)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MASTER_ADDR": "127.0.0.1",
                   "MASTER_PORT": str(free_port()), "GLOO_SOCKET_IFNAME": "lo",
                   "WORLD_SIZE": str(ranks)}
    command = [sys.executable, str(HERE / "torch_training.py"), "--stage", stage, "--precision",
               precision, "--batch", str(options.batch // ranks), "--threads", str(threads),
               "--momentum", str(options.momentum), "--units", *options.units.split(","),
               "--seconds", str(options.seconds), *(["--compile"] if way == "compile" else [])]
    with tempfile.TemporaryFile("w+") as output:
        processes = [subprocess.Popen(command, env={**environment, "RANK": str(rank)},
                                      stdout=output) for rank in range(ranks)]
        while None in (codes := [process.poll() for process in processes]) and not any(codes):
            time.sleep(0.05)
        for process in processes:  # What is left waits for one that has failed.
            process.kill()
            process.wait()
        if any(codes):
            sys.exit(f"torch_training.py failed with exit codes {codes}")
        output.seek(0)
        return json.loads(output.read())["samples_per_second"]


def run_sae_dist(options, precision):
    """The whole report, of all stages."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [*options.mpiexec.split(), "-np", str(options.ranks), str(options.program),
                   "bench", "--units", options.units, "--batch-size", str(options.batch),
                   "--precision", precision, "--momentum", str(options.momentum), "--threads", "1",
                   "--steps-only", "--seconds", str(options.seconds), "--json", str(report)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(report.read_text())


def seconds_of(command, **settings):
    """(wall-clock seconds, what it printed)"""
    begin = time.perf_counter()
    output = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True,
                            **settings).stdout
    return time.perf_counter() - begin, output


def train_by_sae_dist(options, recipe):
    """(seconds, test error of the last model in %), with the precision of the program's choice, in
    one process."""
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        seconds, _ = seconds_of([options.program, "--recipe", recipe, "--data", options.data, "--run",
                                 run, "--threads", options.ranks, "--quiet"])
        events = map(json.loads, (run / "journal.jsonl").read_text().splitlines())
        end = next(event for event in events if event["event"] == "end")
    test = next(model for model in end["models"] if model["file"] == "model.h5")["test"]
    return seconds, 100 * test["errors"] / test["samples"]


def train_by_pytorch(options, recipe, precision, way):
    """(seconds, test error in %) of one process."""
    seconds, output = seconds_of(
        [sys.executable, HERE / "torch_recipes.py", "--recipe",
         HERE.parents[1] / f"data/recipes/{recipe}.cfg", "--data", options.data, "--threads",
         options.ranks, "--precision", precision, *(["--compile"] if way == "compile" else [])],
        env={**os.environ, "OMP_NUM_THREADS": str(options.ranks)})
    return seconds, 100 * json.loads(output)["test_error"]


def compare_recipes(options):
    ways = [mode.split()[1] for mode in options.modes if mode.startswith("process")]
    rows = {}
    for _ in range(options.rounds):
        for recipe in options.recipes:
            rows.setdefault((recipe, "sae_dist"), []).append(train_by_sae_dist(options, recipe))
            for precision, way in itertools.product(options.precisions, ways):
                rows.setdefault((recipe, f"PyTorch {precision} {way}"), []).append(
                    train_by_pytorch(options, recipe, precision, way))
    print(f"From the command to a trained model, one process of {options.ranks} threads, medians of "
          f"{options.rounds} rounds\n")
    print(f"  {'recipe':<10} {'program':<26} {'seconds':>8} {'test error, %':>14}")
    for (recipe, program), results in rows.items():
        seconds, errors = map(statistics.median, zip(*results))
        print(f"  {recipe:<10} {program:<26} {seconds:>8.1f} {errors:>14.2f}")


def main():
    options = parse()
    pytorch = describe_pytorch()
    if pytorch is None:
        print("There is no PyTorch for this Python; see tests/bench/README.md.", file=sys.stderr)
        return NOT_RUN
    for program in (options.program, options.mpiexec.split()[0]):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not a program; see --help.")
    if options.recipes:
        print(f"{pytorch}\n{processor()}\n")
        compare_recipes(options)
        return 0
    ours, theirs = {}, {}
    libraries = ""
    for _ in range(options.rounds):
        for precision in options.precisions:
            report = run_sae_dist(options, precision)
            libraries = report["libraries"]
            for stage in report["stages"]:
                ours.setdefault((precision, stage["stage"]), []).append(
                    stage["samples_per_second"])
            for stage, mode in itertools.product(options.stages, options.modes):
                theirs.setdefault((precision, stage), {}).setdefault(mode, []).append(
                    run_pytorch(options, mode, stage, precision))
    print(f"{libraries}\n{pytorch}\n{processor()}\n")
    print(f"784-{options.units.replace(',', '-')}-10, {options.ranks} cores, {options.batch} samples "
          f"a minibatch, momentum {options.momentum:g}; samples/s, medians of {options.rounds} "
          "rounds\n")
    columns = [f"{mode:>16}" for mode in options.modes]
    print(f"  {'precision':<10} {'stage':<10} {'sae_dist':>10} {''.join(columns)} {'ratio':>7}")
    for (precision, stage), rates in theirs.items():
        mine = statistics.median(ours[precision, stage])
        others = [statistics.median(rates[mode]) for mode in options.modes]
        columns = [f"{rate:>16,.0f}" for rate in others]
        print(f"  {precision:<10} {stage:<10} {mine:>10,.0f} {''.join(columns)} "
              f"{mine / max(others):>7.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Trains recipes with several seeds, and prints a table of their test errors for data/recipes/RESULTS.md.

usage: recipe_results.py --program PROGRAM --work FOLDER [--seeds N] [--ranks R] [--threads T] RECIPE... [-- OPTION...]

Runs that are in FOLDER already are not repeated: what was cut goes on from its checkpoint. Options after
`--` are given to each run, such as `-- --data data/mnist.h5`.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipes", nargs="+", metavar="RECIPE")
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    given = sys.argv[1:]
    cut = given.index("--") if "--" in given else len(given)
    return parser.parse_args(given[:cut]), given[cut + 1:]


def ends_of(run):
    """Of the sessions of a run: the seconds of all, and the models of the last, if it has ended."""
    lines = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    last = lines[-1] if lines[-1]["event"] == "end" and not lines[-1]["stopped"] else None
    starts = [line["time"] for line in lines if line["event"] == "begin"]
    return last, lines[-1]["time"] - starts[-1]


def train(chosen, more, recipe, seed):
    """The test errors of best.h5 and model.h5 in percent, and the seconds of the last session."""
    run = chosen.work / f"{recipe}-{seed}"
    command = [chosen.program.absolute(), "--recipe", recipe, "--seed", seed, "--threads", chosen.threads,
               "--run", run, "--resume", "auto", "--quiet", *more]
    if chosen.ranks > 1:
        command = ["mpirun", "--oversubscribe", "-np", chosen.ranks, *command]
    if not (run / "model.h5").exists():
        subprocess.run(list(map(str, command)), check=True)
    last, seconds = ends_of(run)
    errors = {model["file"]: 100 * model["test"]["errors"] / model["test"]["samples"] for model in last["models"]}
    return errors["best.h5"], errors["model.h5"], seconds


def described(values):
    return f"{statistics.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main():
    chosen, more = options()
    chosen.work.mkdir(parents=True, exist_ok=True)
    print("| recipe | test error of `best.h5`, % | of `model.h5`, % | time of a run, s |\n|---|---|---|---|")
    for recipe in chosen.recipes:
        best, model, seconds = zip(*(train(chosen, more, recipe, seed) for seed in range(1, chosen.seeds + 1)))
        print(f"| `{recipe}` | {described(best)} | {described(model)} | {statistics.median(seconds):.0f} |", flush=True)


if __name__ == "__main__":
    main()

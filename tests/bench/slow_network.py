#!/usr/bin/env python3
"""Training throughput of each way to average gradients over slow links, between hosts that
cluster/netns-cluster makes on this machine. Needs root, and the machine for itself.

usage: tests/bench/slow_network.py [--rates 1gbit,100mbit] [--ranks 2] [--rounds 3]
           [--units 1000,1000] [--program build/release/src/sae_dist] [--require 1.7]

--ranks are those of each of the two hosts. Figures: samples/s in each stage, median of the rounds,
in which the ways take turns; `all` weighs the stages as an epoch of each; `overlap` is the time of
the parts of all steps, each alone, over that of the steps. With --require it fails
unless node with float32 gradients has so many times the throughput of flat with such.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[2]
WAYS = [("flat", "float32"), ("node", "float32"), ("flat", "bfloat16"), ("node", "bfloat16"),
        ("auto", "auto")]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="1gbit,100mbit")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--units", default="1000,1000")
    parser.add_argument("--seconds", default="0.5")
    parser.add_argument("--program", default=SOURCE_DIR / "build/release/src/sae_dist")
    parser.add_argument("--require", type=float)
    return parser.parse_args()


def steps(hosts, options, averaging, gradients):
    """Seconds of a step of each stage, what averaging was chosen, the minibatch, and the gain by
    overlap."""
    text = hosts.act("run", "-np", 2 * options.ranks, options.program, "bench", "--steps-only",
                     "--seconds", options.seconds, "--units", options.units, "--averaging",
                     averaging, "--gradient-precision", gradients, "--json", "-")
    report = json.loads(text[text.index("{"):])
    return ({stage["stage"]: stage["step_seconds"] for stage in report["stages"]},
            report["averaging"], report["batch_size"],
            sum(stage["overlap"] * stage["step_seconds"] for stage in report["stages"]) /
            sum(stage["step_seconds"] for stage in report["stages"]))


def measure(hosts, options):
    """(samples/s of each stage and of all, averaging, overlap) by way; prints a table."""
    found = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way in WAYS:
            found[way].append(steps(hosts, options, *way))
    table = {}
    for way, runs in found.items():
        seconds = {stage: statistics.median(run[0][stage] for run in runs) for stage in runs[0][0]}
        batch = runs[0][2]
        rates = {stage: batch / time for stage, time in seconds.items()}
        rates["all"] = batch * len(seconds) / sum(seconds.values())
        table[way] = rates, runs[0][1], statistics.median(run[3] for run in runs)
    first = table[WAYS[0]][0]
    print(f"| {'averaging':21} |" + "".join(f" {stage:>10} |" for stage in first) +
          " to the first | overlap |")
    print("|---|" + "---|" * (len(first) + 2))
    for way, (rates, averaging, overlap) in table.items():
        name = averaging.split(" gradients")[0] + (" (auto)" if way[0] == "auto" else "")
        print(f"| {name:21} |" + "".join(f" {rate:10,.0f} |" for rate in rates.values()) +
              f" {rates['all'] / first['all']:12.2f} | {overlap:7.2f} |")
    return table


def main():
    options = arguments()
    os.environ.setdefault("SAE_DIST", str(options.program))
    os.environ.setdefault("MPIEXEC", "mpirun")
    os.environ.setdefault("SAE_SOURCE_DIR", str(SOURCE_DIR))
    sys.path.insert(0, str(SOURCE_DIR / "tests" / "support"))
    from netns_hosts import Hosts  # pylint: disable=import-outside-toplevel

    code = 0
    with Hosts(2, slots=options.ranks) as hosts:
        for rate in options.rates.split(","):
            for host in (1, 2):
                hosts.act("slow", host, rate)
            print(f"\n2 hosts x {options.ranks} ranks, {rate}, --units {options.units}")
            table = measure(hosts, options)
            gain = (table["node", "float32"][0]["all"] / table["flat", "float32"][0]["all"])
            if options.require and gain < options.require:
                print(f"node has {gain:.2f} times the throughput of flat, not {options.require}")
                code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())

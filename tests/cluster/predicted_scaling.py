#!/usr/bin/env python3
"""The model of cluster/scaling.py against measured steps of hosts that cluster/netns-cluster makes
on this machine, over limited links. Prints the table of cluster/SCALING.md; fails where a prediction
is off by more than a quarter. Needs root, and the machine for itself.
"""

import json
import os
import sys

from netns_hosts import Hosts
from sae_program import PROGRAM, SOURCE_DIR

sys.path.insert(0, str(SOURCE_DIR / "cluster"))
import scaling  # pylint: disable=wrong-import-position

LINKS = {"1gbit": 1e9, "100mbit": 1e8}
SMALL, LARGE = ("500", 100), ("1000,1000", 400)  # --units, --batch-size
# Averaging, hosts, ranks of a host, network.
CASES = {"1gbit": [("node", 2, 1, SMALL), ("node", 3, 1, SMALL), ("node", 4, 1, SMALL),
                   ("node", 2, 1, LARGE), ("node", 3, 1, LARGE), ("node", 4, 1, LARGE),
                   ("node", 2, 2, LARGE), ("flat", 2, 2, LARGE)],
         "100mbit": [("node", 2, 1, SMALL), ("node", 3, 1, SMALL), ("node", 4, 1, SMALL),
                     ("node", 2, 2, SMALL), ("flat", 2, 2, SMALL)]}
SAMPLES = (25, 100, 200)  # Of a rank, in the runs that give the constants.
TOLERANCE = 0.25
FRAMES = 1448 / 1514  # The limit counts headers, and no gap between frames.


def bench(hosts, launcher, *options):
    text = hosts.act(*launcher, PROGRAM, "bench", "--precision", "float32",
                     "--gradient-precision", "float32", *options, "--json", "-")
    return json.loads(text[text.index("{"):])


def machine(hosts, averaging):
    """Constants of both networks, from two ranks on one host."""
    return scaling.Machine([
        bench(hosts, ["on", 1, "mpirun", "-np", 2], "--seconds", 0.1, "--units", units,
              "--batch-size", 2 * samples, "--averaging", averaging)
        for units, _ in (SMALL, LARGE) for samples in SAMPLES])


def launcher_of(hosts, ranks):
    return ["run", "-np", hosts * ranks, "--map-by", f"ppr:{ranks}:node"]


def latency(hosts):
    """Of a round between two hosts. Nothing but rounds: the sum of a few numbers, and the
    gradient's."""
    report = bench(hosts, launcher_of(2, 1), "--steps-only", "--inputs", 1, "--units", 1,
                   "--averaging", "node")
    return min(stage["averaging_seconds"] for stage in report["stages"]) / 2


def main():
    cores = len(os.sched_getaffinity(0))
    worst = 0.0
    with Hosts(4) as hosts:
        machines = {averaging: machine(hosts, averaging) for averaging in ("node", "flat")}
        seconds = latency(hosts)
        print(f"{cores} cores for all hosts, {1e6 * seconds:.0f} us a round\n")
        print("| links | hosts x ranks | averaging | network | minibatch | measured, ms | "
              "predicted, ms | ratio |")
        print("|---|---|---|---|---|---|---|---|")
        for rate, cases in CASES.items():
            for host in range(1, 5):
                hosts.act("slow", host, rate)
            network = scaling.Network(rate, FRAMES * LINKS[rate] / 8, seconds)
            for averaging, count, ranks, (units, batch) in cases:
                report = bench(hosts, launcher_of(count, ranks), "--steps-only", "--units", units,
                               "--batch-size", batch, "--averaging", averaging)
                measured = (sum(stage["mean_step_seconds"] for stage in report["stages"]) /
                            len(report["stages"]))
                assert len(set(report["hosts"])) == count, report["hosts"]
                terms = scaling.step(machines[averaging], network, report["topology"], count, ranks,
                                     batch, cores)
                predicted = sum(terms.values())
                worst = max(worst, abs(predicted / measured - 1))
                print(f"| {rate} | {count} x {ranks} | {averaging} | {report['topology']} | {batch} "
                      f"| {1e3 * measured:.1f} | {1e3 * predicted:.1f} | "
                      f"{predicted / measured:.2f} |", flush=True)
                if "--terms" in sys.argv:
                    print({term: round(1e3 * time, 2) for term, time in terms.items()})
    print(f"\nThe worst is off by {worst:.0%}; {TOLERANCE:.0%} are allowed.")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())

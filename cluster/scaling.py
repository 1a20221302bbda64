#!/usr/bin/env python3
"""Predicts how training scales over nodes, by the model that cluster/SCALING.md explains.

usage: cluster/scaling.py REPORT.json [REPORT.json ...] [--ranks R] [--sharded] [--svg FOLDER]

The reports are of `sae_dist bench --json FILE` on the ranks of one node, each topology with several
--batch-size, all with the same --precision and --averaging: they give the times of what nodes do
alone. Prints a table for 10 and 100 Gbit/s and draws scaling-strong.svg and scaling-weak.svg.
"""

import argparse
import bisect
import collections
import itertools
import json
import math
import pathlib
import sys

from scaling_charts import draw

STRONG = (1024, 4096, 16384)  # Samples of a minibatch.
WEAK = (16, 64, 256)  # Samples of a minibatch on each rank.
NODES = [2 ** i for i in range(11)]
# Seconds of a step: matrix products, the rest of loss and gradient with the next minibatch in memory,
# waiting and sums on a node, update, then over the network the gradient's bytes, the rounds of all
# sums, the samples.
TERMS = ("products", "elementwise", "node", "update", "volume", "latency", "exchange")
Network = collections.namedtuple("Network", "name bytes_per_second latency")
Constants = collections.namedtuple("Constants", "products elementwise node update")

# As in the program: elements of a part of a gradient, of a message of a node at least and at most, and
# of each host's block of a rank's message; and the most hosts that exchange sums directly.
PART = 1 << 19
MESSAGE = 1 << 17, 1 << 19
BLOCK = 1 << 12
DIRECT = 32
LOCAL_STEPS, AVERAGES_TO_MEET = 32, 8
FRAMES = 1448 / 1538  # Share of payload in full Ethernet frames, with headers and gap.


class Stage:
    """Of one topology: what bench measured, by samples a rank."""

    def __init__(self, name):
        self.name = name
        self.samples = []  # Rising.
        self.constants = []
        self.parameters = self.record_bytes = 0

    def add(self, stage, ranks):
        self.parameters, self.record_bytes = stage["parameters"], stage["record_bytes"]
        samples = stage["samples"] / ranks
        place = bisect.bisect(self.samples, samples)
        # Within the objective, products are no faster than alone; where noise says so, all is theirs.
        products = min(stage.get("products_seconds", 0), stage["objective_seconds"])
        self.samples.insert(place, samples)
        self.constants.insert(place, Constants(
            products, stage["objective_seconds"] - products + stage["data_seconds"],
            stage["reduction_seconds"], stage["update_seconds"]))

    def at(self, samples):
        """Constants for so many samples a rank: on the line through the two nearest that were
        measured. A rank with less than one sample waits for one that has it."""
        samples = max(1.0, samples)
        if len(self.samples) == 1:
            return self.constants[0]
        right = min(max(bisect.bisect(self.samples, samples), 1), len(self.samples) - 1)
        begin, end = self.samples[right - 1:right + 1]
        along = (samples - begin) / (end - begin)
        return Constants(*(max(0.0, a + along * (b - a)) for a, b in
                           zip(self.constants[right - 1], self.constants[right])))


class Machine:
    """What a node does alone, in which time: from reports of bench on its ranks. `sharded`: each rank
    has a part of the samples, so that they travel; else each node has all."""

    def __init__(self, reports, sharded=False):
        self.sharded = sharded
        self.ranks = reports[0]["ranks"]
        self.by_node = reports[0]["averaging"].startswith("node")
        self.element_bytes = 2 if reports[0]["gradient_precision"] == "bfloat16" else 4
        self.topologies = {}
        for report in reports:
            same = (report["ranks"], report["averaging"].startswith("node"))
            if same != (self.ranks, self.by_node) or len(set(report["hosts"])) > 1:
                raise ValueError("All reports must be of one node, with the same ranks and averaging.")
            stages = self.topologies.setdefault(report["topology"], {})
            for stage in report["stages"]:
                stages.setdefault(stage["stage"], Stage(stage["stage"])).add(stage, self.ranks)

    def stages(self, topology):
        return list(self.topologies[topology].values())


def message_of(hosts, senders):
    """Elements of one message of all `senders` of a node together."""
    least, most = MESSAGE
    return min(max(hosts * BLOCK * senders, least), most)


def rounds_of(hosts, volume):
    """Bytes on each way of a link in each round: directly to all others and back, or by halves. Of more
    than DIRECT hosts, powers of two only."""
    if hosts <= DIRECT:
        return [volume * (hosts - 1) / hosts] * 2
    halves = [volume / 2 ** (i + 1) for i in range(int(math.log2(hosts)))]
    return halves + halves[::-1]


def parts_of(stage, topology):
    """(share of the objective's products done, elements) when each part of the gradient is there."""
    sizes = list(itertools.pairwise(topology))
    if stage.name != "finetune":
        layer = int(stage.name.removeprefix("pretrain")) - 1
        below = 0 if stage.record_bytes != topology[0] + 2 else sum(a * b for a, b in sizes[:layer])
        steps = [(2 * below + 6 * math.prod(sizes[layer]), 0)]
        gradients = [(4 * math.prod(sizes[layer]), stage.parameters)]
    else:
        weights = [a * b for a, b in sizes]
        steps = [(2 * sum(weights), 0)]
        gradients = []
        for layer in range(len(weights) - 1, -1, -1):
            gradients.append(((4 if layer else 2) * weights[layer], weights[layer]))
    for flop, elements in gradients:
        count = max(1, round(elements / PART))
        steps += [(flop / count, elements / count)] * count
    whole = sum(flop for flop, _ in steps)
    done = list(itertools.accumulate(flop / whole for flop, _ in steps))
    return [(share, elements) for share, (_, elements) in zip(done, steps) if elements]


def exposed(parts, computing, hosts, senders, element_bytes, network):
    """(seconds after the computing that the gradient's sums over hosts take, of these for bytes).
    While a rank computes, a message begins its next round when a part is ready: only then it is
    looked after."""
    looks, messages, filling = [], [], 0.0
    message = message_of(hosts, senders)
    for share, elements in parts:
        looks.append(share * computing)
        filling += elements
        while filling >= message or (filling > 0 and share == parts[-1][0]):
            sent = min(filling, message)
            messages.append((looks[-1], rounds_of(hosts, sent * element_bytes)))
            filling -= sent
    looks.append(computing)
    link_free, end, moved_after = 0.0, computing, 0.0
    free = []  # Of each message: when its last round ended, and the rounds that are left.
    for begin, rounds in messages:
        free.append([begin, collections.deque(rounds)])
    while any(rounds for _, rounds in free):
        # The round that can begin first, on a link that carries one after the other.
        state = min((entry for entry in free if entry[1]), key=lambda entry: entry[0])
        begin = state[0]
        if begin < computing:
            begin = looks[bisect.bisect_left(looks, begin - 1e-12)]
        seconds = state[1].popleft() / network.bytes_per_second
        link_free = max(begin, link_free) + seconds
        moved_after += max(0.0, min(seconds, link_free - computing))
        state[0] = link_free + network.latency
        end = max(end, state[0])
    return end - computing, min(moved_after, end - computing)


def step(machine, network, topology, hosts, ranks, batch, cores=None):
    """Seconds of a step by term, mean over stages, of hosts x ranks. `cores`: all that they share,
    where they share any."""
    slowdown = max(1.0, hosts * ranks / cores) if cores else 1.0
    layers = [int(units) for units in topology.split("-")]
    terms = dict.fromkeys(TERMS, 0.0)
    stages = machine.stages(topology)
    for stage in stages:
        constants = stage.at(batch / hosts / ranks)
        terms["products"] += slowdown * constants.products
        terms["elementwise"] += slowdown * constants.elementwise
        terms["node"] += constants.node if ranks > 1 else 0.0
        # By node, each rank updates its piece.
        share = machine.ranks / ranks if machine.by_node else 1.0
        terms["update"] += slowdown * constants.update * share
        if hosts == 1:
            continue
        computing = slowdown * (constants.products + constants.elementwise)
        seconds, of_bytes = exposed(parts_of(stage, layers), computing, hosts,
                                    ranks if machine.by_node else 1, machine.element_bytes, network)
        terms["volume"] += of_bytes
        # The sum of a few numbers, such as the loss, travels while the rank goes back through the
        # layers, two thirds of its computing.
        rounds = 1 if hosts <= DIRECT else math.log2(hosts)
        small = max(0.0, rounds * network.latency - computing * 2 / 3)
        terms["latency"] += max(seconds - of_bytes, small)
        if machine.sharded:
            terms["exchange"] += (batch / hosts * (hosts - 1) / hosts * stage.record_bytes /
                                  network.bytes_per_second)
    return {term: seconds / len(stages) for term, seconds in terms.items()}


def local_step(machine, network, topology, hosts, ranks, batch):
    """As step, with --averaging local, each host a group: the mean over the updates between two
    meetings. What a host has learned travels while it computes the next updates; at a meeting it
    waits for that, for what came after, and for an optimizer's slot."""
    terms = step(machine, network, topology, 1, ranks, batch / hosts)
    if hosts == 1:
        return terms
    computing = LOCAL_STEPS * sum(terms.values())
    stages = machine.stages(topology)
    for stage in stages:
        size = stage.parameters * machine.element_bytes
        rounds = rounds_of(hosts, size)
        volume, latency = sum(rounds) / network.bytes_per_second, len(rounds) * network.latency
        waits = [AVERAGES_TO_MEET * max(0.0, of - computing) + 2 * of for of in (volume, latency)]
        share = LOCAL_STEPS * AVERAGES_TO_MEET * len(stages)
        terms["volume"] += waits[0] / share
        terms["latency"] += waits[1] / share
    return terms


def predictions(machine, networks, ranks):
    """Of each case: what the nodes bring, and what ends it."""
    for topology, network, (kind, batches) in itertools.product(
            machine.topologies, networks,
            (("strong", STRONG), ("weak", WEAK), ("weak, local", WEAK))):
        for batch in batches:
            totals = [batch * (1 if kind == "strong" else ranks * n) for n in NODES]
            of_kind = local_step if kind == "weak, local" else step
            steps = [of_kind(machine, network, topology, n, ranks, total)
                     for n, total in zip(NODES, totals)]
            rates = [total / sum(terms.values()) for total, terms in zip(totals, steps)]
            speedups = [rate / rates[0] for rate in rates]
            half = next((i for i, n in enumerate(NODES) if speedups[i] < n / 2), None)
            ends = None
            if half is not None:
                # The term that has grown most against its share of the ideal time.
                ideal = 1 / NODES[half] if kind == "strong" else 1
                ends = max(TERMS, key=lambda term, i=half, ideal=ideal, steps=steps:
                           steps[i][term] - steps[0][term] * ideal)
            yield {"kind": kind, "topology": topology, "network": network.name, "batch": batch,
                   "rate": rates[0], "speedups": speedups,
                   "half": NODES[half] if half is not None else None, "ends": ends}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", nargs="+", type=pathlib.Path, metavar="REPORT.json")
    parser.add_argument("--ranks", type=int, help="of a node, on as many cores; else those measured")
    parser.add_argument("--sharded", action="store_true",
                        help="as with --data-placement sharded; else each node has all samples")
    parser.add_argument("--latency", default="30,10", metavar="MICROSECONDS",
                        help="of a round between nodes at 10 and at 100 Gbit/s; default %(default)s")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FOLDER", help="draw into it")
    options = parser.parse_args()
    machine = Machine([json.loads(path.read_text()) for path in options.reports], options.sharded)
    ranks = options.ranks or machine.ranks
    networks = [Network(f"{rate} Gbit/s", FRAMES * rate * 1e9 / 8, 1e-6 * float(latency))
                for rate, latency in zip((10, 100), options.latency.split(","))]
    cases = list(predictions(machine, networks, ranks))
    print(f"{ranks} ranks a node, averaging by {'node' if machine.by_node else 'flat sums'}, "
          f"gradients of {machine.element_bytes} bytes an element\n")
    print("| topology | network | scaling | minibatch | one node, samples/s | x at 16 | x at 128 | "
          "x at 1,024 | below half at | for |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for case in cases:
        of = "" if case["kind"] == "strong" else " a rank"
        x = " | ".join(f"{case['speedups'][NODES.index(n)]:.1f}" for n in (16, 128, 1024))
        print(f"| {case['topology']} | {case['network']} | {case['kind']} | {case['batch']:,}{of} | "
              f"{case['rate']:,.0f} | {x} | {case['half'] or '-'} | {case['ends'] or '-'} |")
    if options.svg:
        for kind in ("strong", "weak"):
            draw(cases, kind, NODES, options.svg / f"scaling-{kind}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())

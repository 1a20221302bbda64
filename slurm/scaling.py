#!/usr/bin/env python3
"""Prints a table of the runs that scaling.sbatch made in a folder and draws scaling.svg there.
usage: scaling.py FOLDER"""

import json
import math
import pathlib
import sys

WIDTH, HEIGHT, MARGIN = 640, 420, 70
COLOURS = {"strong": "#1f77b4", "weak": "#d62728"}


def rates_in(folder):
    """{kind: {ranks: samples/s over all epochs}}, by rising ranks."""
    rates = {}
    for kind in COLOURS:
        found = {}
        for metrics in folder.glob(f"{kind}-*/metrics.jsonl"):
            epochs = [json.loads(line) for line in metrics.read_text().splitlines()]
            ranks = int(metrics.parent.name.rpartition("-")[2])
            found[ranks] = (sum(epoch["samples"] for epoch in epochs)
                            / sum(epoch["seconds"] for epoch in epochs))
        if found:
            rates[kind] = dict(sorted(found.items()))
    return rates


def efficiency(rates, ranks):
    """Share of what as many times the ranks would give, counted from the fewest."""
    least = min(rates)
    return rates[ranks] / rates[least] * least / ranks


def table(rates):
    lines = [f"{'scaling':<8} {'ranks':>6} {'samples/s':>12} {'speed-up':>9} {'efficiency':>11}"]
    for kind, by_ranks in rates.items():
        for ranks, rate in by_ranks.items():
            share = efficiency(by_ranks, ranks)
            lines.append(f"{kind:<8} {ranks:>6} {rate:>12,.0f} {share * ranks / min(by_ranks):>9.2f} "
                         f"{100 * share:>9.0f} %")
    return "\n".join(lines)


def plot(rates):
    """Samples/s over ranks, both logarithmic; dashed: as if every rank gave what the first does."""
    points = [point for by_ranks in rates.values() for point in by_ranks.items()]
    most = max(ranks for ranks, _ in points)
    low = min(rate for _, rate in points)
    high = max(low * most, max(rate for _, rate in points))

    def place(ranks, rate):
        x = MARGIN + (WIDTH - 2 * MARGIN) * math.log(ranks) / max(math.log(most), 1e-9)
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * math.log(rate / low) / max(
            math.log(high / low), 1e-9)
        return f"{x:.1f},{y:.1f}"

    def text(ranks, rate, words, shift=(0, 0), anchor="middle"):
        x, y = map(float, place(ranks, rate).split(","))
        return f'<text x="{x + shift[0]}" y="{y + shift[1]}" text-anchor="{anchor}">{words}</text>'

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
             f'<text x="{WIDTH / 2}" y="{HEIGHT - 20}" text-anchor="middle">ranks</text>',
             '<text x="20" y="30">samples/s</text>']
    for ranks in sorted({ranks for ranks, _ in points}):
        parts.append(f'<polyline points="{place(ranks, low)} {place(ranks, high)}" stroke="#ddd"/>')
        parts.append(text(ranks, low, ranks, (0, 18)))
    for row, (kind, by_ranks) in enumerate(rates.items()):
        colour = COLOURS[kind]
        least, rate = next(iter(by_ranks.items()))
        ideal = f"{place(least, rate)} {place(most, rate * most / least)}"
        line = " ".join(place(*point) for point in by_ranks.items())
        parts.append(f'<polyline points="{ideal}" fill="none" stroke="{colour}" '
                     'stroke-dasharray="4 4" opacity="0.5"/>')
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for ranks, rate in by_ranks.items():
            parts.append(text(ranks, rate, f"{rate:,.0f}", (0, -8 if kind == "weak" else 16)))
        parts.append(f'<text x="{MARGIN + 10}" y="{MARGIN + 16 * row}" fill="{colour}">{kind} '
                     'scaling</text>')
    return "\n".join([*parts, "</svg>\n"])


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    rates = rates_in(folder)
    if not rates:
        sys.exit(f"scaling.py: {folder} holds no runs of scaling.sbatch")
    print(table(rates))
    (folder / "scaling.svg").write_text(plot(rates))


if __name__ == "__main__":
    main()

"""Draws the predictions of scaling.py as SVG."""

import math

WIDTH, HEIGHT, MARGIN = 250, 190, 45
COLORS = ("#1b6ca8", "#c8553d", "#4b8b3b")


class Drawing:
    """Text of an SVG file."""

    def __init__(self, width, height):
        self.lines = ['<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" '
                      f'font-size="11" width="{width}" height="{height}">',
                      '<rect width="100%" height="100%" fill="white"/>']

    def text(self, x, y, words, anchor="middle", color="black"):
        self.lines.append(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{color}">'
                          f"{words}</text>")

    def path(self, points, color, more=""):
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.lines.append(f'<polyline points="{places}" stroke="{color}" {more} fill="none"/>')

    def save(self, path):
        path.write_text("\n".join(self.lines) + "\n</svg>\n")


def panel(drawing, left, top, title, lines, nodes):
    """Speedup over nodes, both logarithmic; `lines` are (label, speedups)."""
    powers = math.log2(nodes[-1])

    def place(count, speedup):
        return (left + WIDTH * math.log2(count) / powers,
                top + HEIGHT * (1 - max(0.0, math.log2(speedup)) / powers))

    drawing.path([(left, top), (left + WIDTH, top), (left + WIDTH, top + HEIGHT),
                  (left, top + HEIGHT), (left, top)], "#888")
    drawing.text(left + WIDTH / 2, top - 8, title)
    for count in nodes[::2]:
        drawing.text(place(count, 1)[0], top + HEIGHT + 14, count)
        drawing.text(left - 4, place(1, count)[1] + 4, count, "end")
    drawing.path([place(1, 1), place(nodes[-1], nodes[-1])], "#bbb", 'stroke-dasharray="4 3"')
    for i, (label, speedups) in enumerate(lines):
        drawing.path([place(n, s) for n, s in zip(nodes, speedups)], COLORS[i], 'stroke-width="2"')
        drawing.text(left + 8, top + 16 + 14 * i, label, "start", COLORS[i])


def draw(cases, kind, nodes, path):
    """A panel for each topology and network, a line for each size of the minibatch."""
    networks = list(dict.fromkeys(case["network"] for case in cases))
    topologies = list(dict.fromkeys(case["topology"] for case in cases))
    width = len(topologies) * (WIDTH + MARGIN) + MARGIN
    height = len(networks) * (HEIGHT + MARGIN) + MARGIN
    drawing = Drawing(width, height)
    of = " a rank" if kind == "weak" else ""
    for row, network in enumerate(networks):
        for column, topology in enumerate(topologies):
            lines = [(f"minibatch {case['batch']:,}{of}", case["speedups"]) for case in cases
                     if (case["kind"], case["topology"], case["network"]) ==
                     (kind, topology, network)]
            panel(drawing, MARGIN + column * (WIDTH + MARGIN), 30 + row * (HEIGHT + MARGIN),
                  f"{topology}, {network}", lines, nodes)
    drawing.text(width / 2, height - 14,
                 f"{kind} scaling: samples/s over those of one node, by nodes (dashed: ideal)")
    drawing.save(path)

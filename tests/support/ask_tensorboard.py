"""Prints as JSON what TensorBoard's own reader makes of the event files of a stage; for the python3 of
the environment that TensorBoard is installed in. usage: ask_tensorboard.py FOLDER"""

import json
import logging
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

logging.disable(logging.NOTSET)
KINDS = ("scalars", "tensors", "histograms", "images", "compressedHistograms")
everything = EventAccumulator(sys.argv[1], size_guidance=dict.fromkeys(KINDS, 0))
everything.Reload()
tags = everything.Tags()
points = {"scalars": everything.Scalars, "histograms": everything.Histograms,
          "images": everything.Images, "tensors": everything.Tensors}
told = {kind: {tag: [event.step for event in read(tag)] for tag in tags[kind]}
        for kind, read in points.items()}
graph = everything.Graph() if tags["graph"] else None
told["graph"] = [node.name for node in graph.node] if graph else []
json.dump(told, sys.stdout)

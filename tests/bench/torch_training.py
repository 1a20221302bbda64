"""One training stage of sae_dist in PyTorch: the same mathematics, on data made in memory. Alone, or
with RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT set as a rank of DistributedDataParallel over gloo.
Rank 0 prints one JSON object."""

import argparse
import json
import os
import statistics
import time

import torch
import torch.distributed as dist
import torch.nn.functional as functional
from torch import nn
from torch.nn.parallel import DistributedDataParallel

SAMPLES = 8192
WARM_UP_STEPS = 5
FEWEST_STEPS = 5


def initial_weights(inputs, outputs):
    bound = 4 * (6 / (inputs + outputs)) ** 0.5
    return nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))


class DenoisingAutoencoder(nn.Module):
    """Logits of the reconstruction of a corrupted input, with tied weights."""

    def __init__(self, inputs, units):
        super().__init__()
        self.weights = initial_weights(inputs, units)
        self.bias = nn.Parameter(torch.zeros(units))
        self.visible_bias = nn.Parameter(torch.zeros(inputs))

    def forward(self, corrupted):
        hidden = torch.sigmoid(functional.linear(corrupted, self.weights, self.bias))
        return functional.linear(hidden, self.weights.t(), self.visible_bias)


class Layer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weights = initial_weights(inputs, outputs)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return functional.linear(x, self.weights, self.bias)


class Classifier(nn.Module):
    def __init__(self, sizes, classes):
        super().__init__()
        self.hidden = nn.ModuleList(map(Layer, sizes, sizes[1:]))
        self.output = Layer(sizes[-1], classes)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.sigmoid(layer(x))
        return self.output(x)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True, help="pretrain1, pretrain2, ... or finetune")
    parser.add_argument("--units", type=int, nargs="+", default=[2000, 2000, 2000])
    parser.add_argument("--inputs", type=int, default=784)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--batch", type=int, default=100, help="samples of this rank")
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true", help="by torch.compile")
    parser.add_argument("--corruption", type=float, default=0.3)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--seconds", type=float, default=3)
    return parser.parse_args()


def make_stage(options):
    """The module to train, and a function from it (perhaps wrapped), pixels and labels to the mean
    loss."""
    sizes = [options.inputs, *options.units]
    if options.stage == "finetune":
        return (Classifier(sizes, options.classes),
                lambda model, pixels, labels: functional.cross_entropy(model(pixels).float(),
                                                                       labels))
    layer = int(options.stage.removeprefix("pretrain"))
    finished = [Layer(*pair) for pair in zip(sizes[:layer - 1], sizes[1:layer])]

    def loss(model, pixels, _):
        with torch.no_grad():
            clean = pixels
            for below in finished:
                clean = torch.sigmoid(below(clean))
            kept = torch.rand_like(clean, dtype=torch.float32) >= options.corruption
            corrupted = clean * kept
        summed = functional.binary_cross_entropy_with_logits(
            model(corrupted).float(), clean.float(), reduction="sum")
        return summed / len(pixels)

    return DenoisingAutoencoder(sizes[layer - 1], sizes[layer]), loss


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    rank, ranks = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    torch.manual_seed(1)  # Of the weights; DDP makes them those of rank 0.
    module, loss_of = make_stage(options)
    torch.manual_seed(2 + rank)
    model = module
    if ranks > 1:
        dist.init_process_group("gloo")
        model = DistributedDataParallel(module, gradient_as_bucket_view=True)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.01, momentum=options.momentum)
    pixels = torch.randint(0, 256, (max(SAMPLES, options.batch), options.inputs),
                           dtype=torch.uint8)
    labels = torch.randint(0, options.classes, (len(pixels),))
    precision = torch.autocast("cpu", dtype=torch.bfloat16,
                               enabled=options.precision == "bfloat16")

    def forward(bytes_of_pixels, numbers):
        return loss_of(model, bytes_of_pixels.float() / 255, numbers)

    if options.compile:
        forward = torch.compile(forward)

    def step():
        chosen = torch.randint(0, len(pixels), (options.batch,))
        with precision:
            loss = forward(pixels[chosen], labels[chosen])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    for _ in range(WARM_UP_STEPS):
        step()
    begin = time.perf_counter()
    step()
    # Rank 0 decides how many steps follow.
    steps = torch.tensor([max(FEWEST_STEPS,
                              int(options.seconds / (time.perf_counter() - begin)))])
    if ranks > 1:
        dist.broadcast(steps, 0)
        dist.barrier()
    times = []
    for _ in range(int(steps)):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    if rank == 0:
        seconds = statistics.median(times)
        print(json.dumps({"stage": options.stage, "step_seconds": seconds, "steps": int(steps),
                          "samples_per_second": ranks * options.batch / seconds}))
    if ranks > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()

"""A recipe of sae_dist on MNIST in PyTorch, from the data set to the test error: stacked sigmoid
denoising autoencoders and a classifier (`tutorial`, `quick`), or a ladder network with a tied decoder
(`best`, `minute`). Prints one JSON object. The time from the command to that line is the time to a
trained model, imports and compilation included."""

import argparse
import json
import pathlib

import h5py
import torch
import torch.nn.functional as functional
from torch import nn

VALIDATION = 5000
STATISTICS_SAMPLES = 20000


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", type=pathlib.Path, required=True, help="a file of settings")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="by torch.compile")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="of each stage, fewer to try it")
    return parser.parse_args()


def read_recipe(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def read_data(path):
    """(pixels, labels) of training samples without those for validation, and of test samples."""
    with h5py.File(path) as file:
        def split(name, begin):
            images, labels = file[name]["images"][begin:], file[name]["labels"][begin:]
            return (torch.from_numpy(images.reshape(len(images), -1)).float() / 255,
                    torch.from_numpy(labels.astype("int64")))
        return split("train", VALIDATION), split("test", 0)


class SigmoidLayer(nn.Module):
    """`forward` encodes; `loss` is that of the layer as a denoising autoencoder with tied weights."""

    def __init__(self, inputs, units, scale):
        super().__init__()
        bound = scale * (6 / (inputs + units)) ** 0.5
        self.weights = nn.Parameter(torch.empty(units, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(units))
        self.visible_bias = nn.Parameter(torch.zeros(inputs))

    def forward(self, x):
        return torch.sigmoid(functional.linear(x, self.weights, self.bias))

    def loss(self, clean, corruption):
        corrupted = clean * (torch.rand_like(clean) >= corruption)
        logits = functional.linear(self(corrupted), self.weights.t(), self.visible_bias)
        return functional.binary_cross_entropy_with_logits(
            logits, clean, reduction="sum") / len(clean)


def normalized(z):
    return functional.batch_norm(z, None, None, training=True)


class Ladder(nn.Module):
    """Its decoder goes from the softmax through the transposed weights down to the image, joined by
    the combinators of Rasmus et al., 'Semi-supervised learning with ladder networks', 2015."""

    def __init__(self, sizes, noise, reconstruction_weight):
        super().__init__()
        self.noise, self.reconstruction_weight = noise, reconstruction_weight
        self.weights = nn.ParameterList(torch.randn(units, inputs) / inputs ** 0.5
                                        for inputs, units in zip(sizes, sizes[1:]))
        self.biases = nn.ParameterList(torch.zeros(units) for units in sizes[1:])
        self.gain = nn.Parameter(torch.ones(sizes[-1]))
        start = torch.tensor([0, 1, 0, 0, 0, 0, 1, 0, 0, 0.]).unsqueeze(1)
        self.combinators = nn.ParameterList(start.repeat(1, units) for units in sizes)

    def combine(self, z, u, layer):
        a = self.combinators[layer]
        mean = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
        share = a[5] * torch.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
        return (z - mean) * share + mean

    def noisy(self, z):
        return z + self.noise * torch.randn_like(z)

    def activated(self, z, layer):
        """Logits in the last layer."""
        z = z + self.biases[layer]
        return self.gain * z if layer + 1 == len(self.weights) else torch.relu(z)

    def loss(self, x, labels):
        noisy = [self.noisy(x)]
        h = noisy[0]
        for layer, weights in enumerate(self.weights):
            noisy.append(self.noisy(normalized(h @ weights.t())))
            h = self.activated(noisy[-1], layer)
        z = self.combine(noisy[-1], normalized(functional.softmax(h, 1)), len(self.weights))
        for layer in reversed(range(len(self.weights))):
            z = self.combine(noisy[layer], normalized(z @ self.weights[layer]), layer)
        return (functional.cross_entropy(h, labels) +
                self.reconstruction_weight * functional.mse_loss(z, x))

    @torch.no_grad()
    def predict(self, training, test):
        """Logits, with the statistics of clean training samples."""
        for layer, weights in enumerate(self.weights):
            training, test = training @ weights.t(), test @ weights.t()
            deviation, mean = torch.std_mean(training, 0)
            training = self.activated((training - mean) / deviation, layer)
            test = self.activated((test - mean) / deviation, layer)
        return test


def train(parameters, loss_of, samples, recipe, stage, options):
    """Minibatches in random order; loss_of takes the indices of one."""
    epochs = options.epochs or int(recipe[f"{stage}-epochs"])
    rate, batch = float(recipe[f"{stage}-learning-rate"]), int(recipe["batch-size"])
    if recipe.get("optimizer") == "adam":
        optimizer = torch.optim.Adam(parameters, lr=rate, fused=True)
    else:
        matrices = [p for p in parameters if p.dim() > 1]
        others = [p for p in parameters if p.dim() == 1]
        optimizer = torch.optim.SGD(
            [{"params": matrices, "weight_decay": float(recipe["weight-decay"])},
             {"params": others, "weight_decay": 0}],
            lr=rate, momentum=float(recipe["momentum"]), fused=True)
    constant = float(recipe.get("schedule-start", 0))
    steps = epochs * -(-samples // batch)
    if options.compile:
        loss_of = torch.compile(loss_of)
    precision = torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bfloat16")
    step = 0
    for _ in range(epochs):
        for chosen in torch.randperm(samples).split(batch):
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1, (1 - step / steps) / (1 - constant))
            with precision:
                loss = loss_of(chosen)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1


def train_ladder(sizes, recipe, pixels, labels, options):
    ladder = Ladder(sizes, float(recipe["finetune-corruption"]),
                    float(recipe["reconstruction-weight"]))
    train(list(ladder.parameters()), lambda chosen: ladder.loss(pixels[chosen], labels[chosen]),
          len(pixels), recipe, "finetune", options)
    return lambda x: ladder.predict(pixels[:STATISTICS_SAMPLES], x)


def train_stack(sizes, recipe, pixels, labels, options):
    scale = float(recipe["initial-scale"])
    layers = [SigmoidLayer(*pair, scale) for pair in zip(sizes, sizes[1:-1])]
    levels = [float(level) for level in recipe["corruption"].split(",")]
    codes = pixels
    for layer, corruption in zip(layers, levels if len(levels) > 1 else levels * len(layers)):
        clean = codes
        train(list(layer.parameters()), lambda chosen: layer.loss(clean[chosen], corruption),
              len(clean), recipe, "pretrain", options)
        with torch.no_grad():
            codes = layer(clean)
    network = nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))
    train([p for name, p in network.named_parameters() if "visible" not in name],
          lambda chosen: functional.cross_entropy(network(pixels[chosen]), labels[chosen]),
          len(pixels), recipe, "finetune", options)
    return torch.no_grad()(network)


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)  # Else its Adam takes many times as long with units that are off.
    torch.manual_seed(options.seed)
    recipe = read_recipe(options.recipe)
    (pixels, labels), (test_pixels, test_labels) = read_data(options.data)
    sizes = [pixels.shape[1], *map(int, recipe["units"].split(",")), 10]
    way = train_ladder if recipe.get("lateral") == "true" else train_stack
    predict = way(sizes, recipe, pixels, labels, options)
    wrong = (predict(test_pixels).argmax(1) != test_labels).float().mean()
    print(json.dumps({"test_error": wrong.item()}))


if __name__ == "__main__":
    main()

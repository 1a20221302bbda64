"""numpy repeats three updates of every stage from exported minibatches and gets the weights that
sae_dist gets. The formulas are those of the papers, in float64; nothing of ours is used in them.

usage: updates.py EXPORT_UPDATES
"""

import subprocess
import sys
import unittest

import h5py
import numpy as np

from sae_program import ProgramTest, arrays_of, metrics_of, toy_samples, write_dataset

EXPORT_UPDATES = sys.argv.pop(1)

SEED = 7
SAMPLES = 32
BATCH_SIZE = 12  # Three updates; the last has eight samples.
UNITS = (13, 7)
CORRUPTION = (0.25, 0.4)
PRETRAIN_RATE = (0.3, 0.2)
FINETUNE_RATE = 0.5
MOMENTUM = 0.8
WEIGHT_DECAY = 0.01
# The program computes in float32: nine updates of weights below 4, each rounded to 2^-24 of them.
TOLERANCE = 1e-5


class Updates(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(SAMPLES), toy_samples(5, seed=1), 3)
        settings = [str(word) for layer in zip(UNITS, CORRUPTION) for word in layer]
        subprocess.run([EXPORT_UPDATES, "data.h5", "export.h5", str(SEED), str(BATCH_SIZE),
                        *settings], cwd=cls.folder, check=True)

    def check(self, noise_at, finetune_epochs):
        run = f"{noise_at}{finetune_epochs}"
        self.train(run, "--data", "data.h5", "--validation-size", 0, "--seed", SEED,
                   "--precision", "float32",
                   "--batch-size", BATCH_SIZE, "--units", listed(UNITS),
                   "--corruption", listed(CORRUPTION), "--corruption-at", noise_at,
                   "--pretrain-epochs", 1, "--pretrain-learning-rate", listed(PRETRAIN_RATE),
                   "--pretrain-schedule", "linear", "--finetune-epochs", finetune_epochs,
                   "--finetune-learning-rate", FINETUNE_RATE, "--finetune-schedule", "constant",
                   "--momentum", MOMENTUM, "--weight-decay", WEIGHT_DECAY)
        with h5py.File(self.folder / "export.h5") as export:
            network = Network(export["start"])
            start = {name: values.copy() for name, values in network.arrays.items()}
            losses = [network.pretrain(layer, export, noise_at) for layer in (1, 2)]
            if finetune_epochs > 0:
                losses.append(network.finetune(export))
        found = arrays_of(self.folder / run / "model.h5")
        self.assertEqual(found.keys(), network.arrays.keys())
        for name, expected in network.arrays.items():
            self.assert_close(found[name], expected, TOLERANCE, name)
            trained = finetune_epochs > 0 or not name.startswith("output")
            moved = np.max(np.abs(expected - start[name])) > 100 * TOLERANCE
            self.assertEqual(moved, trained, f"{name}: too little has happened to be compared")
        self.assert_close([line["loss"] for line in metrics_of(self.folder / run)], losses,
                          TOLERANCE, "losses")

    def test_pretraining_with_noise_at_the_layer(self):
        self.check("layer", finetune_epochs=0)

    def test_pretraining_with_noise_at_the_image(self):
        self.check("image", finetune_epochs=0)

    def test_pretraining_and_fine_tuning(self):
        self.check("layer", finetune_epochs=1)


class Network:
    """The arrays, in float64, and what training does to them. One sample per row."""

    def __init__(self, start):
        self.arrays = {}
        start.visititems(lambda name, item: self.arrays.update({name: item[()].astype(float)})
                         if isinstance(item, h5py.Dataset) else None)

    def layer(self, name):
        return (self.arrays.get(f"{name}/{array}") for array in ("weights", "bias", "visible_bias"))

    def encode(self, x, layers):
        for i in range(layers):
            weights, bias, _ = self.layer(f"hidden{i + 1}")
            x = logistic(x @ weights + bias)
        return x

    def pretrain(self, layer, export, noise_at):
        """Greedy training of one layer; mean loss of its samples."""
        name = f"hidden{layer}"
        step = Momentum(self.arrays)
        loss = 0.0
        for update, batch in enumerate(minibatches(export[f"pretrain{layer}"])):
            clean = self.encode(batch["inputs"], layer - 1)
            if noise_at == "layer":
                corrupted = clean * batch["mask_of_layer"]
            else:
                corrupted = self.encode(batch["inputs"] * batch["mask_of_image"], layer - 1)
            weights, bias, visible_bias = self.layer(name)
            h = logistic(corrupted @ weights + bias)
            z = logistic(h @ weights.T + visible_bias)
            loss -= np.sum(clean * np.log(z) + (1 - clean) * np.log(1 - z))
            delta_z = z - clean
            delta_h = (delta_z @ weights) * h * (1 - h)
            # Linear: to 0 at the end of the three updates.
            step.apply({f"{name}/weights": corrupted.T @ delta_h + delta_z.T @ h,
                        f"{name}/bias": delta_h.sum(axis=0),
                        f"{name}/visible_bias": delta_z.sum(axis=0)},
                       len(clean), PRETRAIN_RATE[layer - 1] * (1 - update / 3))
        return loss / SAMPLES

    def finetune(self, export):
        step = Momentum(self.arrays)
        loss = 0.0
        for batch in minibatches(export["finetune"]):
            codes = [self.encode(batch["inputs"], layers) for layers in range(len(UNITS) + 1)]
            weights, bias, _ = self.layer("output")
            exponentials = np.exp(codes[-1] @ weights + bias)
            p = exponentials / exponentials.sum(axis=1, keepdims=True)
            truth = np.eye(p.shape[1])[batch["labels"].astype(int)]
            loss -= np.sum(truth * np.log(p))
            delta, gradient = p - truth, {}
            for i in range(len(UNITS), -1, -1):
                name = "output" if i == len(UNITS) else f"hidden{i + 1}"
                weights, _, visible_bias = self.layer(name)
                gradient[f"{name}/weights"] = codes[i].T @ delta
                gradient[f"{name}/bias"] = delta.sum(axis=0)
                delta = (delta @ weights.T) * codes[i] * (1 - codes[i])
            step.apply(gradient, len(truth), FINETUNE_RATE)
        return loss / SAMPLES


class Momentum:
    """v = momentum v + g / samples + decay w, w = w - rate v; the penalty is on weights alone."""

    def __init__(self, arrays):
        self._arrays, self._velocity = arrays, {}

    def apply(self, gradient, samples, rate):
        for name, g in gradient.items():
            decay = WEIGHT_DECAY if name.endswith("/weights") else 0
            v = MOMENTUM * self._velocity.get(name, 0) + g / samples + decay * self._arrays[name]
            self._velocity[name] = v
            self._arrays[name] = self._arrays[name] - rate * v


def minibatches(stage):
    updates = [{name: values[()].astype(float) for name, values in stage[update].items()}
               for update in sorted(stage)]
    assert [len(update["labels"]) for update in updates] == [12, 12, 8]
    return updates


def listed(values):
    return ",".join(map(str, values))


def logistic(a):
    return 1 / (1 + np.exp(-a))


if __name__ == "__main__":
    unittest.main()

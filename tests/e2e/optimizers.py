"""Three updates of each optimizer, of a small classifier on all samples at once, repeated by numpy."""

import unittest

import h5py
import numpy as np

from sae_program import ProgramTest, arrays_of, toy_samples, write_dataset

SAMPLES, STEPS, RATE, MOMENTUM, DECAY = 120, 3, 0.05, 0.8, 0.01
COMMON = {"data": "toy.h5", "validation-size": 0, "units": 20, "pretrain-epochs": 0, "initial-scale": 1,
          "batch-size": SAMPLES, "finetune-epochs": 10, "finetune-learning-rate": RATE,
          "finetune-schedule": "constant", "momentum": MOMENTUM, "weight-decay": DECAY, "precision": "float32",
          "checkpoint-every": 1, "keep-checkpoints": 9, "stop-after-steps": STEPS}
# Options, with what else than the optimizer they change.
CASES = {
    "sgd": {}, "nesterov": {}, "adam": {}, "adamw": {}, "lars": {},
    "clipped": {"optimizer": "sgd", "clip-gradient-norm": 0.1},
    "limited": {"optimizer": "adam", "max-norm": 1.05, "weight-average": 0.9},
}


def gradients_of(w, x, labels):
    """Of the mean cross-entropy, without the penalty."""
    h = 1 / (1 + np.exp(-(x @ w["hidden1/weights"] + w["hidden1/bias"])))
    logits = h @ w["output/weights"] + w["output/bias"]
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(x)), labels] -= 1
    p /= len(x)
    below = p @ w["output/weights"].T * h * (1 - h)
    return {"output/weights": h.T @ p, "output/bias": p.sum(axis=0), "hidden1/weights": x.T @ below,
            "hidden1/bias": below.sum(axis=0), "hidden1/visible_bias": np.zeros_like(w["hidden1/visible_bias"])}


def updated(kind, w, g, slots, step, decay):
    """The new array: Polyak; Sutskever et al. 2013; Kingma and Ba 2015; Loshchilov and Hutter 2019; You et
    al. 2017."""
    if kind in ("adam", "adamw"):
        first, second = slots
        if kind == "adam":
            g = g + decay * w
        else:
            w = w * (1 - RATE * decay)
        first[:] = MOMENTUM * first + (1 - MOMENTUM) * g
        second[:] = 0.999 * second + 0.001 * g * g
        return w - RATE * (first / (1 - MOMENTUM**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    velocity, _ = slots
    if kind == "lars":
        length, slope = np.linalg.norm(w), np.linalg.norm(g)
        ratio = 0.001 * (length / (slope + decay * length) if length > 0 and slope > 0 else 1)
        velocity[:] = MOMENTUM * velocity - RATE * ratio * (g + decay * w)
        return w + velocity
    g = g + decay * w
    velocity[:] = MOMENTUM * velocity - RATE * g
    return w + (MOMENTUM * velocity - RATE * g if kind == "nesterov" else velocity)


def trained(kind, w, x, labels, clip_gradient_norm=np.inf, max_norm=np.inf, weight_average=0):
    """The arrays after each step, and their average where there is one."""
    slots = {name: (np.zeros_like(values), np.zeros_like(values)) for name, values in w.items()}
    average = {name: np.zeros_like(values) for name, values in w.items()}
    for step in range(1, STEPS + 1):
        g = gradients_of(w, x, labels)
        norm = np.sqrt(sum((values**2).sum() for values in g.values()))
        g = {name: values * min(1, clip_gradient_norm / norm) for name, values in g.items()}
        w = {name: updated(kind, values, g[name], slots[name], step, DECAY if "weights" in name else 0)
             for name, values in w.items()}
        lengths = np.linalg.norm(w["hidden1/weights"], axis=0)
        w["hidden1/weights"] = w["hidden1/weights"] * np.minimum(1, max_norm / lengths)
        kept = min(weight_average, (step - 1) / (step + 9))
        average = {name: kept * average[name] + (1 - kept) * values for name, values in w.items()}
        yield average if weight_average else w


def words(options):
    return [word for key, value in (COMMON | options).items() for word in (f"--{key}", value)] + ["--quiet"]


class Optimizers(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        images, cls.labels = toy_samples(SAMPLES)
        cls.x = images / 255.0
        write_dataset(cls.folder / "toy.h5", (images, cls.labels), (images, cls.labels), classes=3)

    def test_numpy_repeats_three_updates(self):
        # At so low a rate, a step changes nothing but the biases, which begin as 0.
        self.train("start", *words({"stop-after-steps": 1, "finetune-learning-rate": 1e-30}), code=75)
        start = {name: np.where(np.abs(values) < 1e-20, 0, values.astype(np.float64))
                 for name, values in arrays_of(self.checkpoint("start", 1)).items()}
        for name, options in CASES.items():
            options = {"optimizer": name, **options}
            numbers = {key.replace("-", "_"): value for key, value in options.items() if key != "optimizer"}
            for ranks, averaging in ((0, "flat"), (3, "node")):
                run = f"{name}-{ranks}-{averaging}"
                self.train(run, *words({"averaging": averaging, **options}), ranks=ranks, code=75)
                expected = trained(options["optimizer"], start, self.x, self.labels, **numbers)
                for step, arrays in enumerate(expected, 1):
                    found = self.arrays(self.checkpoint(run, step), "weight-average" in options)
                    for array, values in arrays.items():
                        with self.subTest(name, ranks=ranks, averaging=averaging, step=step, array=array):
                            self.assert_close(found[array], values, 1e-5, array)

    def test_max_norm_limits_units_in_every_stage(self):
        self.train("limited", *words({"max-norm": 0.2, "pretrain-epochs": 1, "units": "20,10",
                                      "stop-after-steps": 50, "precision": "bfloat16"}))
        for model in ("pretrained.h5", "model.h5"):
            arrays = arrays_of(self.folder / "limited" / model)
            for layer in ("hidden1", "hidden2"):
                length = np.linalg.norm(arrays[f"{layer}/weights"], axis=0).max()
                self.assertLess(0.19, length, (model, layer))
                self.assertLess(length, 0.2 + 1e-6, (model, layer))

    def checkpoint(self, run, step):
        return sorted((self.folder / run / "checkpoints").iterdir())[step - 1]

    def arrays(self, path, averaged):
        if not averaged:
            return arrays_of(path)
        with h5py.File(path) as file:
            return {name: file[f"optimizer/average/{name}"][:] for name in arrays_of(path)}


if __name__ == "__main__":
    unittest.main()

"""A denoising autoencoder and a classifier trained as one: with batch and layer normalisation, noise in
every layer, few labels and distorted images, on several numbers of ranks, cut and resumed, and by numpy."""

import unittest

import h5py
import numpy as np

from sae_program import ProgramTest, arrays_of, metrics_of, mnist_subset

TRAIN, TEST, VALIDATION = 900, 300, 100
COMMON = ["--data", "mnist.h5", "--validation-size", VALIDATION, "--units", "30,20", "--batch-size", 50,
          "--pretrain-epochs", 1, "--finetune-epochs", 3, "--precision", "float32", "--quiet",
          "--finetune-corruption", 0.2, "--reconstruction-weight", 50, "--pretrain-learning-rate", 0.01,
          "--finetune-learning-rate", 0.02]
KINDS = {
    "ladder": ["--finetune", "joint", "--normalization", "batch", "--lateral", "--activation", "relu"],
    "few_labels": ["--finetune", "joint", "--normalization", "batch", "--lateral", "--decoder", "free",
                   "--activation", "relu", "--labelled", 40, "--labelled-batch", 15],
    "averaged": ["--finetune", "joint", "--normalization", "batch", "--weight-average", 0.9],
    "layers": ["--finetune", "joint", "--normalization", "layer", "--lateral", "--activation", "gelu,tanh",
               "--finetune-noise", "masking"],
    "distorted": ["--finetune", "classify", "--normalization", "batch", "--activation", "relu",
                  "--rotate", 10, "--zoom", 0.1, "--shift", 1, "--elastic", 20, "--label-smoothing", 0.1,
                  "--clip-gradient-norm", 1, "--dropout", 0.1],
    "plain": ["--finetune", "joint", "--activation", "sigmoid,gelu"],
}
FUNCTIONS = {"sigmoid": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh, "relu": lambda a: np.maximum(a, 0),
             "gelu": lambda a: a * (1 + np.tanh(0.79788456 * (a + 0.044715 * a**3))) / 2}
EPSILON = 1e-5


def logits_of(layer, h, kind):
    """As data/README.md says; of a checkpoint with the statistics that it holds."""
    a = h @ layer["weights"][:]
    if kind == "layer":
        a = (a - a.mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + EPSILON)
    elif kind == "batch":
        a = (a - layer["mean"][:]) / np.sqrt(layer["variance"][:] + EPSILON)
    if "gain" in layer:
        a = a * layer["gain"][:]
    return a + layer["bias"][:]


def labels_by_numpy(path, x):
    with h5py.File(path) as file:
        model = file["model"]
        kind = model.attrs["normalization"]
        names = model.attrs["activation"].split(",") * len(model)
        h = x
        for i in range(1, len(model)):
            h = FUNCTIONS[names[i - 1]](logits_of(model[f"hidden{i}"], h, kind))
        return logits_of(model["output"], h, kind).argmax(axis=1)


class Joint(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mnist_subset(cls.folder / "mnist.h5", train=TRAIN, test=TEST)
        with h5py.File(cls.folder / "mnist.h5") as file:
            cls.x = file["test/images"][:].reshape(TEST, -1) / np.float32(255)
        for name, options in KINDS.items():
            cls.train(name, *COMMON, *options)

    def test_the_losses_fall(self):
        for name in KINDS:
            losses = [line["loss"] for line in metrics_of(self.folder / name) if line["stage"] == "finetune"]
            self.assertLess(losses[-1], losses[0], name)

    def test_distorted_images_are_shown(self):
        for name in ("distorted", "ladder"):
            page = (self.folder / name / "report.html").read_text()
            events = b"".join(path.read_bytes() for path in (self.folder / name / "events").rglob("*tfevents*"))
            self.assertEqual('<section id="distorted"' in page, name == "distorted")
            self.assertEqual(b"images/distorted" in events, name == "distorted")

    def test_numpy_predicts_what_the_program_predicts(self):
        for name in KINDS:
            files = ["model.h5", "best.h5"]
            if name != "averaged":  # Of a checkpoint, the average is what is applied.
                files.append(sorted((self.folder / name / "checkpoints").iterdir())[-1])
            for file in files:
                with self.subTest(name, file=file):
                    path = self.folder / name / file
                    self.run_program("predict", path, "--data", "mnist.h5", "--output", "labels.h5", "--force")
                    with h5py.File(self.folder / "labels.h5") as given:
                        labels = given["predictions/label"][:]
                    self.assertLessEqual((labels_by_numpy(path, self.x) != labels).sum(), 1)

    def test_a_finished_model_is_a_plain_network(self):
        for name in KINDS:
            arrays = arrays_of(self.folder / name / "model.h5")
            normalised = ["gain"] if name == "layers" else []
            decoder = ["visible_bias"] if name == "plain" else []
            self.assertEqual({array.split("/")[-1] for array in arrays},
                             {"weights", "bias", *normalised, *decoder}, name)

    def test_the_model_is_that_of_one_rank_on_any_number(self):
        for name, options in KINDS.items():
            expected = arrays_of(self.folder / name / "model.h5")
            for ranks in (2, 3, 7):
                with self.subTest(name, ranks=ranks):
                    self.train(f"{name}{ranks}", *COMMON, *options, ranks=ranks)
                    found = arrays_of(self.folder / f"{name}{ranks}" / "model.h5")
                    self.assertEqual(found.keys(), expected.keys())
                    for array, values in expected.items():
                        self.assert_close(found[array], values, 1e-3, array)

    def test_a_run_that_is_cut_ends_with_the_same_bits(self):
        for name, options in KINDS.items():
            adam = [*options, "--optimizer", "adam"]
            self.train(f"{name}_whole", *COMMON, *adam)
            for steps in (7, 29):
                self.train(f"{name}_cut", "--resume", "auto", "--stop-after-steps", steps, *COMMON, *adam,
                           code=75)
            self.train(f"{name}_cut", "--resume", "auto", *COMMON, *adam)
            for file in ("model.h5", "best.h5", "pretrained.h5"):
                self.assertEqual((self.folder / f"{name}_cut" / file).read_bytes(),
                                 (self.folder / f"{name}_whole" / file).read_bytes(), (name, file))

    def test_reproducibly_ranks_change_no_bit(self):
        for name in ("layers", "plain"):
            files = {}
            for ranks in (1, 4):
                run = f"{name}_reproducible{ranks}"
                self.train(run, *COMMON, *KINDS[name], "--reproducible", ranks=ranks)
                files[ranks] = [path.read_bytes() for path in sorted((self.folder / run).glob("*.h5"))]
            self.assertEqual(files[1], files[4])

    def test_what_does_not_go_together_is_refused(self):
        train = ["--data", "mnist.h5", "--run", "refused"]
        joint = [*train, "--finetune", "joint"]
        output = ["--data", "mnist.h5", "--output", "refused"]
        self.assert_refused(
            (64, ["--normalization batch needs"],
             [*train, "--normalization", "batch", "--finetune", "reconstruct"]),
            (64, ["--lateral needs --finetune joint"], [*train, "--lateral"]),
            (64, ["--decoder free needs --finetune joint"], [*train, "--decoder", "free"]),
            (64, ["--reconstruction-weight"], [*joint, "--reconstruction-weight", "0"]),
            (64, ["--label-smoothing"], [*train, "--finetune", "reconstruct", "--label-smoothing", "0.1"]),
            (64, ["in [0, 1)"], [*train, "--finetune-noise", "swap", "--finetune-corruption", "1"]),
            (64, ["--labelled-batch needs --finetune joint"], [*train, "--labelled-batch", "5"]),
            (64, ["--reproducible"], [*joint, "--normalization", "batch", "--reproducible"]),
            (64, ["--cache-codes on"], [*train, "--elastic", "30", "--cache-codes", "on"]),
            (65, ["--scale standard does not go with it"], [*train, "--shift", "1", "--scale", "standard"]),
            (64, ["cannot reconstruct"], ["reconstruct", "ladder/model.h5", *output]),
            (64, ["cannot reconstruct"], ["score", "ladder/model.h5", *output]))
        self.assertFalse((self.folder / "refused").exists())


if __name__ == "__main__":
    unittest.main()

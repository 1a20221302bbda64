"""ONNX files give in onnxruntime what predict, encode, reconstruct and score give, on data of any kind
and scaling; wrong requests are refused and write nothing."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import h5py
import numpy as np

from sae_program import SOURCE_DIR, ProgramTest, mnist_subset

PYTHON = pathlib.Path(sys.argv.pop()).absolute() / "bin" / "python"
APPLY = pathlib.Path(__file__).parent.parent / "support" / "apply_onnx.py"
UNSUITABLE, MISSING, USAGE, OUTPUT = 65, 66, 64, 73
TOLERANCE = 1e-5  # Sums of float32 in another order, and another exp.
TABLES = ("standard", "min-max", "rank-gauss")
TRAIN, TEST = 700, 123
CLASS_NAMES, FEATURE_NAMES = ["no", "ja, 是"], ["wide", "offset", "constant", "two", "steps", "tail"]
NETWORK = ["--validation-size", 100, "--units", "20,10", "--pretrain-epochs", 3, "--finetune-epochs",
           3, "--batch-size", 20, "--quiet"]


def table(count, seed, spread=1.0):
    """Features of all kinds, float32 (count, 6): wide, narrow far from 0, constant, two values, whole
    numbers, and one with a long tail. `spread` above 1 leaves the range of the others."""
    random = np.random.default_rng(seed)
    common = random.normal(size=(count, 1))
    x = spread * (common + random.normal(scale=0.3, size=(count, 6)))
    columns = (300 * x[:, 0] - 40, x[:, 1] / 8 + 1000, np.full(count, -7.3),
               np.where(x[:, 3] > 0, 5, -1), np.round(4 * x[:, 4]), np.exp(x[:, 5]))
    return np.stack(columns, axis=1).astype(np.float32)


def write_table(path, classes):
    """Samples to train, and to test within and outside their range."""
    samples = {"train": table(TRAIN, 1), "test": np.vstack([table(TEST, 2), table(TEST, 3, 5.0)])}
    samples["test"][-20:, 2:4] += np.linspace(-3, 3, 20, dtype=np.float32)[:, None]
    with h5py.File(path, "w") as file:
        file.attrs.update({"format": "sae-dataset", "version": 2, "name": "table", "classes": classes})
        file["feature_names"] = FEATURE_NAMES
        for split, values in samples.items():
            file[f"{split}/images"] = values
            if classes:
                file[f"{split}/labels"] = (values[:, 0] > 0).astype("i8")
        if classes:
            file["class_names"] = CLASS_NAMES


class Onnx(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "data").mkdir()
        mnist_subset(cls.folder / "data" / "mnist.h5", train=TRAIN, test=TEST)
        cls.train("mnist", *NETWORK)
        for scaling in TABLES:
            write_table(cls.folder / f"{scaling}.h5", classes=2 if scaling == "min-max" else 0)
            units = ["--activation", "gelu,tanh"] if scaling == "standard" else []
            cls.train(scaling, "--data", f"{scaling}.h5", "--scale", scaling, *units, *NETWORK)
        cls.largest = {}

    @classmethod
    def tearDownClass(cls):
        print("largest differences:", json.dumps(cls.largest, indent=1))

    def run_python(self, *arguments):
        done = subprocess.run([PYTHON, *arguments], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def apply(self, run, *options, inside=()):
        """What the exported model gives for the test samples, by name, and what is told of it."""
        self.run_program("export", f"{run}/model.h5", "--onnx", "model.onnx", *options, "--quiet")
        with h5py.File(self.folder / self.data_of(run)) as file:
            samples = file["test/images"][:]
        np.save(self.folder / "samples.npy", samples.reshape(len(samples), -1).astype(np.float32))
        told = self.run_python(APPLY, "model.onnx", "samples.npy", "results.npz", *inside)
        with np.load(self.folder / "results.npz") as results:
            return dict(results), json.loads(told)

    @staticmethod
    def data_of(run):
        return "data/mnist.h5" if run == "mnist" else f"{run}.h5"

    def expected(self, command, run, name, *options):
        self.run_program(command, f"{run}/model.h5", "--data", self.data_of(run), "--output",
                         "expected.h5", *options, "--quiet")
        with h5py.File(self.folder / "expected.h5") as file:
            return file[name][:]

    def assert_same(self, found, name, expected, what, unit=1):
        """In batches of any size; relative to values above 1, or to those of `unit`."""
        values = {key: value for key, value in found.items() if key.startswith(f"{name}/")}
        self.assertEqual(len(values), 3)
        for key, value in values.items():
            self.assertEqual(value.shape, expected.shape, key)
            difference = np.abs(value.astype(np.float64) - expected)
            relative = np.max(difference / np.maximum(np.abs(expected), unit))
            self.largest[what] = max(self.largest.get(what, 0), float(f"{relative:.2g}"))
            self.assertLessEqual(relative, TOLERANCE, f"{what} {key}")

    def test_a_classifier_predicts_the_same(self):
        for run in ("mnist", "min-max"):
            found, told = self.apply(run)
            probability = self.expected("predict", run, "predictions/probability")
            self.assert_same(found, "probability", probability, f"{run} probability")
            label = self.expected("predict", run, "predictions/label")
            clear = np.diff(np.sort(probability)[:, -2:]).ravel() > 1e-4
            self.assertGreater(clear.sum(), len(label) * 0.95)
            for size in (1, 7, 10**6):
                self.assertEqual(found[f"label/{size}"].dtype, np.int64)
                np.testing.assert_array_equal(found[f"label/{size}"][clear], label[clear])
            self.assertEqual((told["producer"], told["input"]), ("sae_dist", ["samples"]))
            self.assertEqual("divides by 255" in told["documentation"], run == "mnist")
            metadata = told["metadata"]
            self.assertEqual((metadata["part"], metadata["model"]),
                             ("classifier", f"{run}/model.h5"))
            self.assertIn(metadata["sae_dist_version"], self.run_program("--version"))
            if run == "min-max":
                self.assertEqual(json.loads(metadata["class_names"]), CLASS_NAMES)
                self.assertEqual(json.loads(metadata["feature_names"]), FEATURE_NAMES)

    def test_codes_are_the_same(self):
        for run in ("mnist", *TABLES):
            for layer in (0, 1):
                found, _ = self.apply(run, "--part", "encoder", "--layer", layer)
                self.assert_same(found, "codes", self.expected("encode", run, "codes", "--layer", layer),
                                 f"{run} codes")

    def test_reconstructions_and_scores_are_the_same(self):
        for run in ("mnist", *TABLES):
            part = ["--part", "autoencoder"] if run in ("mnist", "min-max") else []
            for layer in (0, 1):
                found, told = self.apply(run, *part, "--layer", layer)
                self.assertEqual(told["metadata"]["layer"], str(layer or 2))
                expected = self.expected("reconstruct", run, "reconstructions", "--layer", layer)
                expected = expected.reshape(len(expected), -1)
                unit = np.maximum(1, np.abs(expected).max(axis=0))  # Of each feature.
                if run == "mnist":  # Bytes come back, where reconstruct gives their share of 255.
                    expected, unit = 255 * expected, 255
                self.assert_same(found, "reconstruction", expected, f"{run} reconstruction", unit)
                self.assert_same(found, "score",
                                 self.expected("score", run, "scores", "--layer", layer), f"{run} score")

    def test_rank_gauss_is_the_piecewise_linear_function_of_the_model(self):
        found, _ = self.apply("rank-gauss", inside=["scaling/scaled"])
        scaled = found["scaling/scaled"]
        with h5py.File(self.folder / "rank-gauss" / "model.h5") as file:
            values, normal = file["scaling/values"][:], file["scaling/normal"][:]
        with h5py.File(self.folder / "rank-gauss.h5") as file:
            samples = file["test/images"][:]
        if values.shape[0] != samples.shape[1]:
            values, normal = values.T, normal.T
        below = above = 0
        for feature in range(samples.shape[1]):
            used = values[feature] < np.finfo(np.float32).max
            x, knots = samples[:, feature].astype(np.float64), values[feature][used].astype(np.float64)
            expected = np.interp(x, knots, normal[feature][used])
            self.assert_close(scaled[:, feature], expected, TOLERANCE, FEATURE_NAMES[feature])
            difference = float(f"{np.max(np.abs(scaled[:, feature] - expected)):.2g}")
            self.largest["rank-gauss inputs"] = max(self.largest.get("rank-gauss inputs", 0), difference)
            below += np.sum(x < knots[0])
            above += np.sum(x > knots[-1])
        self.assertGreater(min(below, above), 20, "samples outside the range")
        self.assertEqual(np.ptp(scaled[:, 2]), 0)

    def test_ranks_write_the_same_file_and_force_replaces_a_data_set(self):
        shutil.copy(self.folder / "standard.h5", self.folder / "replaced")
        output = self.run_program("export", "mnist/model.h5", "--onnx", "one.onnx")
        self.assertIn("wrote one.onnx: the classifier of mnist/model.h5, 784-20-10-10, ", output)
        self.run_program("export", "mnist/model.h5", "--onnx", "replaced", "--force", ranks=2)
        self.assertEqual((self.folder / "replaced").read_bytes(),
                         (self.folder / "one.onnx").read_bytes())

    def test_the_lines_of_the_document_apply_a_model(self):
        text = (SOURCE_DIR / "data" / "README.md").read_text()
        (code,) = re.findall(r"```python\n([^`]*onnxruntime.*?)```", text, re.DOTALL)
        self.assertEqual(code.count("\n"), 5)
        self.run_program("export", "mnist/model.h5", "--onnx", "model.onnx")
        self.run_python("-c", code + "import numpy; numpy.save('label.npy', label)")
        np.testing.assert_array_equal(np.load(self.folder / "label.npy"),
                                      self.expected("predict", "mnist", "predictions/label"))

    def test_wrong_requests_are_refused(self):
        shutil.copy(self.folder / "mnist" / "model.h5", self.folder / "other.h5")
        mnist = ("export", "mnist/model.h5", "--onnx", "x.onnx")
        table = ("export", "standard/model.h5", "--onnx", "x.onnx")
        self.assert_refused(
            (UNSUITABLE, ["standard.h5 is neither a model"], ("export", "standard.h5", "--onnx", "x.onnx")),
            (MISSING, ["missing.h5"], ("export", "missing.h5", "--onnx", "x.onnx")),
            (USAGE, ["without classes", "encoder or autoencoder"], (*table, "--part", "classifier")),
            (USAGE, ["2 hidden layers", "--layer is not 3"], (*table, "--layer", 3)),
            (USAGE, ["2 hidden layers", "--layer is not 3"],
             (*mnist, "--part", "encoder", "--layer", 3)),
            (USAGE, ["--layer 1", "--part encoder"], (*mnist, "--layer", 1)),
            (USAGE, ["--layer 1", "classifier"], (*mnist, "--part", "classifier", "--layer", 1)),
            (USAGE, ["--part is one of classifier, encoder, autoencoder"], (*mnist, "--part", "all")),
            (USAGE, ["--onnx"], ("export", "mnist/model.h5")),
            (OUTPUT, ["it is read"], ("export", "other.h5", "--onnx", "other.h5")),
            (OUTPUT, ["--force"], ("export", "mnist/model.h5", "--onnx", "other.h5")),
            (OUTPUT, ["missing/x.onnx"], ("export", "mnist/model.h5", "--onnx", "missing/x.onnx")))


if __name__ == "__main__":
    unittest.main()

"""sae_dist.py answers as predict, encode, score and reconstruct do, for models of every kind; what it does
not know and what does not fit is refused by name."""

import concurrent.futures
import pickle
import re
import shutil
import sys
import tracemalloc
import unittest
import warnings

import h5py
import numpy as np

from sae_program import SOURCE_DIR, ProgramTest

sys.path.insert(0, str(SOURCE_DIR / "src" / "python"))
from sae_dist import BLOCK_SAMPLES, Model

TOLERANCE = 1e-5  # Sums of float32 in another order, and another exp.
TRAIN, TEST, VALIDATION = 300, 70, 60
CLASS_NAMES = ["no", "ja, 是", "maybe"]
FEATURE_NAMES = ["wide", "offset", "constant", "two", "steps", "tail"]
COMMON = ["--validation-size", VALIDATION, "--units", "20,10", "--batch-size", 20,
          "--pretrain-epochs", 2, "--pretrain-learning-rate", 0.01,
          "--finetune-epochs", 2, "--finetune-learning-rate", 0.01, "--reconstruction-weight", 20,
          "--precision", "float32", "--summary-every", 0, "--quiet"]
# Data set and options of each model.
MODELS = {name: text.split() for name, text in {
    "bytes": "bytes --finetune classify",
    "bytes_standard": "bytes --scale standard --finetune reconstruct --activation tanh",
    "bytes_min_max": "bytes --scale min-max --finetune none --activation relu",
    "bytes_rank_gauss": "bytes --scale rank-gauss --finetune classify",
    "bytes_gaussian": "bytes --visible gaussian --finetune reconstruct --activation relu",
    "shares": "float_shares --finetune reconstruct",
    "shares_gaussian": "float_shares --visible gaussian --finetune none",
    "table_standard": "float_table --finetune reconstruct",
    "table_min_max": "float_table --scale min-max --visible bernoulli --finetune reconstruct"
                     " --activation tanh",
    "table_rank_gauss": "float_table --scale rank-gauss --finetune reconstruct --activation relu",
    "table_classify": "float_table --scale rank-gauss --finetune classify --activation tanh",
    "batch": "bytes --normalization batch --finetune classify --activation relu",
    "batch_sigmoid": "float_table --normalization batch --finetune classify",
    "batch_joint": "bytes --normalization batch --finetune joint --lateral --decoder free"
                   " --activation tanh",
    "batch_averaged": "bytes --normalization batch --finetune joint --weight-average 0.9",
    "layer": "bytes --normalization layer --finetune joint --activation relu",
    "layer_sigmoid": "float_table --normalization layer --finetune classify",
    "layer_lateral": "bytes --normalization layer --finetune joint --lateral --activation tanh",
    "joint": "bytes --finetune joint --weight-average 0.9",
    "joint_lateral": "bytes --finetune joint --lateral",
    "joint_gaussian": "float_table --finetune joint --activation relu"}.items()}
WITHOUT_CLASSES = {"bytes_standard", "bytes_min_max", "bytes_gaussian", "shares", "shares_gaussian",
                   "table_standard", "table_min_max", "table_rank_gauss"}
WITHOUT_DECODER = {"batch", "batch_sigmoid", "batch_joint", "batch_averaged", "layer", "layer_sigmoid",
                   "layer_lateral", "joint_lateral"}

ARRAYS = {"predict": ["predictions/label", "predictions/probability"], "encode": ["codes"],
          "score": ["scores"], "reconstruct": ["reconstructions"]}


def images(count, random):
    labels = random.integers(3, size=count)
    bright = np.arange(30) % 3 == labels[:, None]
    values = random.integers(150, size=(count, 30)) + np.where(bright, 105, 0)
    return values.astype(np.uint8).reshape(count, 5, 6), labels


def table(count, random, spread=1.0):
    """Features of all kinds: wide, narrow far from 0, constant, two values, whole numbers, and one with a
    long tail; and labels. `spread` above 1 leaves the range of the others."""
    x = spread * (random.normal(size=(count, 1)) + random.normal(scale=0.3, size=(count, 6)))
    columns = (300 * x[:, 0] - 40, x[:, 1] / 8 + 1000, np.full(count, -7.3),
               np.where(x[:, 3] > 0, 5, -1), np.round(4 * x[:, 4]), np.exp(x[:, 5]))
    return np.stack(columns, axis=1).astype(np.float32), (x[:, 0] > 0).astype(int)


def write_data(folder):
    random = np.random.default_rng(1)
    train, test = images(TRAIN, random), images(TEST, random)
    inside, outside = table(TEST, random), table(TEST, random, 3.0)
    sets = {"bytes": (train, test),
            "float_shares": [(values.reshape(len(values), -1) / np.float32(255), labels)
                             for values, labels in (train, test)],
            "float_table": (table(TRAIN, random), list(map(np.concatenate, zip(inside, outside))))}
    for name, splits in sets.items():
        with h5py.File(folder / f"{name}.h5", "w") as file:
            file.attrs.update({"format": "sae-dataset", "version": 2, "name": name, "classes": 3})
            file["class_names"] = CLASS_NAMES
            if name == "float_table":
                file["feature_names"] = FEATURE_NAMES
            for split, (values, labels) in zip(("train", "test"), splits):
                file[f"{split}/images"], file[f"{split}/labels"] = values, labels


class PythonModule(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.largest = {}
        # A process mostly waits to start.
        cls.pool = concurrent.futures.ThreadPoolExecutor(4)
        cls.addClassCleanup(cls.pool.shutdown)
        write_data(cls.folder)
        runs = [cls.pool.submit(cls.train, name, "--data", f"{data}.h5", *COMMON, *options)
                for name, (data, *options) in MODELS.items()]
        for run in runs:
            run.result()
        cls.samples = {}
        for data, *_ in MODELS.values():
            with h5py.File(cls.folder / f"{data}.h5") as file:
                cls.samples[data] = file["test/images"][:]

    @classmethod
    def tearDownClass(cls):
        print("largest differences:", cls.largest)

    def model(self, name, file="model.h5"):
        """The model and the test samples of its data set."""
        return Model.load(self.folder / name / file), self.samples[MODELS[name][0]]

    def answers(self, *requests):
        """Each request (command, model, file, options) with the arrays that the program writes, by name."""
        def answer(number, command, name, file, *options):
            output = f"answer{number}.h5"
            self.run_program(command, f"{name}/{file}", "--data", f"{MODELS[name][0]}.h5",
                             "--output", output, *options, "--quiet")
            with h5py.File(self.folder / output) as written:
                return {array: written[array][()] for array in ARRAYS[command]}
        runs = [self.pool.submit(answer, number, *request) for number, request in enumerate(requests)]
        return [(request, run.result()) for request, run in zip(requests, runs)]

    def assert_same(self, found, expected, name, what, unit=1.0):
        """Relative to the values, or to the unit where they are smaller."""
        self.assertEqual((found.shape, found.dtype), (expected.shape, np.float32), (name, what))
        difference = np.abs(found.astype(np.float64) - expected) / np.maximum(np.abs(expected), unit)
        largest = (float(f"{difference.max():.1g}"), name)
        self.largest[what] = max(self.largest.get(what, largest), largest)
        self.assertLessEqual(difference.max(), TOLERANCE, (name, what))

    def assert_same_classes(self, model, samples, written, name):
        probability = written["predictions/probability"]
        self.assert_same(model.predict_proba(samples), probability, name, "probabilities")
        clear = np.diff(np.sort(probability)[:, -2:]).ravel() > 1e-4
        self.assertGreater(clear.mean(), 0.9)
        expected = np.array(CLASS_NAMES)[written["predictions/label"]]
        np.testing.assert_array_equal(model.predict(samples)[clear], expected[clear])

    # The program's answers.

    def test_codes(self):
        requests = [("encode", name, "model.h5", "--layer", layer)
                    for name in MODELS for layer in (1, 2)]
        for (_, name, *_, layer), written in self.answers(*requests):
            model, samples = self.model(name)
            self.assert_same(model.encode(samples, layer), written["codes"], name, "codes")
            if layer == 2:
                np.testing.assert_array_equal(model.transform(samples), model.encode(samples, 2))
        self.assertEqual((model.units, model.n_features_in_), ([20, 10], 6))

    def test_classes(self):
        requests = [("predict", name, "model.h5") for name in MODELS if name not in WITHOUT_CLASSES]
        for (_, name, _), written in self.answers(*requests):
            model, samples = self.model(name)
            self.assertEqual(list(model.classes_), CLASS_NAMES)
            self.assertEqual(model.feature_names, FEATURE_NAMES if samples.shape[1:] == (6,) else None)
            self.assert_same_classes(model, samples, written, name)

    def test_scores_and_reconstructions(self):
        names = [name for name in MODELS if name not in WITHOUT_DECODER]
        requests = [(command, name, "model.h5", "--layer", layer)
                    for name in names for layer in (1, 2) for command in ("score", "reconstruct")]
        for (command, name, *_, layer), written in self.answers(*requests):
            model, samples = self.model(name)
            if command == "score":
                self.assert_same(model.score(samples, layer), written["scores"], name, "scores", unit=1e-3)
                if layer == 2:
                    np.testing.assert_array_equal(model.score_samples(samples), -model.score(samples))
                continue
            expected = written["reconstructions"]
            unit = np.abs(expected).max(axis=0).clip(1)  # Of each feature.
            self.assert_same(model.reconstruct(samples, layer), expected, name, "reconstructions", unit)
            codes = model.encode(samples, layer)
            np.testing.assert_array_equal(model.inverse_transform(codes, layer),
                                          model.reconstruct(samples, layer).reshape(len(codes), -1))

    def test_other_files_of_a_run(self):
        requests = []
        for name in ("bytes", "batch_joint", "batch_averaged", "layer_lateral", "joint"):
            last = max((self.folder / name / "checkpoints").iterdir())
            requests += [(command, name, file) for command in ("encode", "predict")
                         for file in ("pretrained.h5", "best.h5", f"checkpoints/{last.name}")]
        for (command, name, file), written in self.answers(*requests):
            model, samples = self.model(name, file)
            if command == "encode":
                self.assert_same(model.encode(samples), written["codes"], name, file.split("/")[0])
            elif file == "pretrained.h5":
                with self.assertWarnsRegex(UserWarning, "pretrained.h5 was saved before the first step"):
                    model.predict(samples)
            else:
                self.assert_same_classes(model, samples, written, name)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.model("bytes")[0].predict_proba(samples)

    def test_a_checkpoint_before_its_end(self):
        _, *options = MODELS["batch_averaged"]
        for stage, steps in (("pretrain1", 6), ("pretrain2", 30), ("finetune", 56)):
            name = f"batch_averaged_{stage}"
            self.train(name, "--data", "bytes.h5", *COMMON, *options, "--stop-after-steps", steps,
                       code=75)
            path = max((self.folder / name / "checkpoints").iterdir())
            with h5py.File(path) as file:
                self.assertEqual(file.attrs["stage"], stage)
            self.run_program("encode", path, "--data", "bytes.h5", "--output", "codes.h5")
            with h5py.File(self.folder / "codes.h5") as file:
                codes = file["codes"][:]
            self.assert_same(Model.load(path).encode(self.samples["bytes"]), codes, name, "checkpoints")

    def test_the_lines_of_the_document(self):
        text = (SOURCE_DIR / "data" / "README.md").read_text()
        (code,) = re.findall(r"```python\n([^`]*from sae_dist import Model.*?)```", text, re.DOTALL)
        samples = self.samples["bytes"]
        variables = {"samples": samples}
        exec(code.replace('"model.h5"', f'"{self.folder}/joint/model.h5"'), variables)
        model, _ = self.model("joint")
        np.testing.assert_array_equal(variables["labels"], model.predict(samples))
        np.testing.assert_array_equal(variables["codes"], model.encode(samples))

    # Samples.

    def test_samples_of_any_kind_give_the_same(self):
        model, samples = self.model("joint")
        flat = samples.reshape(TEST, -1)
        expected = model.score(samples)
        with h5py.File(self.folder / "bytes.h5") as file:
            for same in (flat, file["test/images"], samples[:, None], np.asfortranarray(flat),
                         flat / 255, (flat / 255).tolist()):
                np.testing.assert_allclose(model.score(same), expected, rtol=1e-6)
            np.testing.assert_array_equal(model.reconstruct(file["test/images"]),
                                          model.reconstruct(samples))
        self.assertEqual(model.reconstruct(flat).shape, flat.shape)
        table_model, rows = self.model("table_standard")
        np.testing.assert_array_equal(table_model.encode(rows.astype(np.float64)),
                                      table_model.encode(rows))
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).score(samples), expected)
        for answer in (model.score, model.predict, model.encode, model.reconstruct):
            self.assertEqual(len(answer(samples[:0])), 0)

    def test_many_samples_take_little_memory(self):
        count, longest = 100000, []
        model, samples = self.model("joint")

        class Rows:
            """Samples that are made when they are asked for: those of the data set, over and over."""
            shape, dtype = (count, 5, 6), samples.dtype

            def __getitem__(self, rows):
                longest.append(rows.stop - rows.start)
                return samples[np.arange(rows.start, min(rows.stop, count)) % TEST]

        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        scores = model.score(Rows())
        self.assertLess(tracemalloc.get_traced_memory()[1], 4 * count + 2e6)
        self.assertEqual(max(longest), BLOCK_SAMPLES)
        np.testing.assert_allclose(scores, np.resize(model.score(samples), count), rtol=1e-5)
        self.assertEqual(len(model.predict(samples)), TEST)

    def test_sigmoids_of_any_argument(self):
        model, samples = self.model("shares_gaussian")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for factor in (1e4, -1e4, 1e30):
                self.assertTrue(np.isfinite(model.encode(factor * samples)).all())

    # What is refused.

    def assert_refuses(self, texts, function, *arguments):
        with self.assertRaises(ValueError) as refused:
            function(*arguments)
        for text in texts:
            self.assertIn(text, str(refused.exception))

    def test_samples_that_do_not_fit(self):
        model, samples = self.model("bytes")
        name = str(self.folder / "bytes" / "model.h5")
        flat = samples.reshape(TEST, -1)
        self.assert_refuses([name, "takes 30 features", "(70, 29)"], model.encode, flat[:, 1:])
        self.assert_refuses(["takes 30 features", "(5, 6)"], model.predict, samples[0])
        self.assert_refuses(["takes 30 features", "(30,)"], model.score, flat[0])
        self.assert_refuses([name, "trained on bytes", "float32 up to 25"], model.score,
                            samples.astype(np.float32))
        self.assert_refuses(["trained on bytes", "int64 up to 25"], model.predict, samples.tolist())
        rows, values = self.model("table_standard")
        self.assert_refuses(["table_standard", "float32", "uint8"], rows.score, values.astype(np.uint8))
        for wrong, text in ((np.nan, "nan"), (1e39, "inf")):
            values = values.astype(np.float64)
            values[66, 3] = wrong
            self.assert_refuses([f"Feature 3 ('two') of sample 66 is {text}, not a finite"], rows.encode,
                                values)
            many = np.vstack([values[:60]] * 10 + [values[66:67]])
            self.assert_refuses(["Feature 3 ('two') of sample 600 is"], rows.encode, many)
        self.assert_refuses(["10 units in hidden layer 2", "(70, 20)"], rows.decode, np.zeros((70, 20)))
        self.assert_refuses(["could not convert"], rows.encode, [["a"] * 6])

    def test_what_a_model_cannot_do(self):
        for name in sorted(WITHOUT_CLASSES):
            model, samples = self.model(name)
            for answer in (model.predict, model.predict_proba):
                self.assert_refuses([f"{name}/model.h5 is an autoencoder without classes"], answer,
                                    samples)
            self.assertEqual(model.classes_.shape, (0,))
        for name in sorted(WITHOUT_DECODER):
            model, samples = self.model(name)
            for answer in (model.score, model.reconstruct, model.score_samples):
                self.assert_refuses([f"{name}/model.h5 cannot reconstruct: while it was trained"], answer,
                                    samples)
            self.assert_refuses(["cannot reconstruct"], model.decode, np.zeros((1, 10)))
        for name in ("batch_joint", "batch_averaged", "layer_lateral"):
            file = max((self.folder / name / "checkpoints").iterdir())  # It still has its decoder.
            self.assert_refuses(["cannot reconstruct"], Model.load(file).score, self.samples["bytes"])
        model, samples = self.model("bytes")
        for layer in (0, 3, -1):
            for answer in (model.encode, model.score, model.reconstruct):
                self.assert_refuses([f"2 hidden layers, so that layer is not {layer}"], answer, samples,
                                    layer)

    def changed(self, change, name="table_classify"):
        """Path of a copy of the model that was changed."""
        path = self.folder / "changed.h5"
        shutil.copy(self.folder / name / "model.h5", path)
        with h5py.File(path, "r+") as file:
            change(file)
        return path

    def test_files_that_are_not_known(self):
        def load_changed(change):
            Model.load(self.changed(change))

        self.assert_refuses(["changed.h5 has format version 3", "versions up to 2"], load_changed,
                            lambda file: file.attrs.modify("version", 3))
        for kind in ("activation", "visible", "decoder", "normalization", "scale", "input_type"):
            self.assert_refuses([f"changed.h5 has {kind} 'new', which this module does not know"],
                                load_changed, lambda file: file["model"].attrs.modify(kind, "new"))
        self.assert_refuses(["changed.h5 is damaged", "'activation'"], load_changed,
                            lambda file: file["model"].attrs.pop("activation"))
        for array, text in (("model", "model"), ("model/hidden1/bias", "bias"),
                            ("scaling/values", "values"),
                            ("model/hidden2", "/model/output/weights has shape (10, 3)")):
            self.assert_refuses(["changed.h5 is damaged", text], load_changed,
                                lambda file: file.move(array, "elsewhere"))
        self.assert_refuses(["float_table.h5", "'format' is 'sae-dataset'"], Model.load,
                            self.folder / "float_table.h5")
        text = self.folder / "text.h5"
        text.write_text("no HDF5")
        self.assert_refuses(["text.h5 is no model or checkpoint: it is not an HDF5"], Model.load, text)
        half = self.folder / "half.h5"
        half.write_bytes((self.folder / "bytes" / "model.h5").read_bytes()[:9000])
        self.assert_refuses(["half.h5 is damaged"], Model.load, half)
        with self.assertRaisesRegex(FileNotFoundError, "absent.h5"):
            Model.load("absent.h5")

    def test_files_of_earlier_programs(self):
        def version_1(file):
            file.attrs.modify("version", 1)
            for attribute in list(file["model"].attrs):
                del file["model"].attrs[attribute]

        def early(file):
            for attribute in ("normalization", "lateral", "scale", "input_type"):
                del file["model"].attrs[attribute]

        model, samples = self.model("bytes")
        for change in (version_1, early):
            old = Model.load(self.changed(change, "bytes"))
            np.testing.assert_array_equal(old.predict_proba(samples), model.predict_proba(samples))
            np.testing.assert_array_equal(old.reconstruct(samples), model.reconstruct(samples))


if __name__ == "__main__":
    unittest.main()

"""predict, encode and reconstruct: what numpy computes, in the order of the samples, the same bytes
on any number of ranks, and nothing at all where the input is wrong."""

import csv
import io
import os
import re
import shutil
import unittest

import h5py
import numpy as np

from sae_program import (PROGRAM, ProgramTest, arrays_of, command_line, damage, mnist_subset,
                         on_a_terminal, toy_samples, write_dataset)

TEST = 2611  # Five blocks of 512 and a short one: some of 7 ranks have none.
TRAIN, VALIDATION = 1300, 200
UNITS = {"hidden1": 150, "hidden2": 70}
CLASSES = 10
UNSUITABLE, MISSING, USAGE, OUTPUT, STOPPED = 65, 66, 64, 73, 75
COMMANDS = {"predict": [], "encode": [], "reconstruct": ["--layer", 1]}


def logistic(a):
    return 1 / (1 + np.exp(-a))


class Inference(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mnist_subset(cls.folder / "data.h5", train=TRAIN, test=TEST)
        cls.train("run", "--data", "data.h5", "--validation-size", VALIDATION, "--units", "150,70",
                  "--pretrain-epochs", 1, "--finetune-epochs", 3, "--quiet")
        shutil.copy(cls.folder / "run" / "model.h5", cls.folder / "model.h5")
        cls.model = {name: values.astype(np.float64)
                     for name, values in arrays_of(cls.folder / "model.h5").items()}
        with h5py.File(cls.folder / "data.h5") as data:
            cls.images = {split: data[f"{split}/images"][()] for split in ("train", "test")}
            cls.labels = {split: data[f"{split}/labels"][()] for split in ("train", "test")}
        for command, options in COMMANDS.items():
            cls.apply(command, *options, "--output", f"{command}.h5")

    @classmethod
    def apply(cls, command, *options, data="data.h5", **how):
        return cls.run_program(command, "model.h5", "--data", data, *options, **how)

    def read(self, file, name):
        with h5py.File(self.folder / file) as opened:
            return opened[name][()]

    # The network by numpy in float64.

    def codes(self, split, layers):
        h = self.images[split].reshape(len(self.images[split]), -1) / 255.0
        for layer in range(1, layers + 1):
            h = logistic(h @ self.model[f"hidden{layer}/weights"]
                         + self.model[f"hidden{layer}/bias"])
        return h

    def probabilities(self, split):
        logits = self.codes(split, 2) @ self.model["output/weights"] + self.model["output/bias"]
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def reconstructions(self, split, layers):
        x = self.codes(split, layers)
        for layer in range(layers, 0, -1):
            x = logistic(x @ self.model[f"hidden{layer}/weights"].T
                         + self.model[f"hidden{layer}/visible_bias"])
        return x.reshape(-1, 28, 28)

    # What is computed.

    def test_probabilities_and_labels_are_those_of_numpy(self):
        expected = self.probabilities("test")
        self.assert_close(self.read("predict.h5", "predictions/probability"), expected, 1e-5, "p")
        predicted = self.read("predict.h5", "predictions/label")
        clear = np.diff(np.sort(expected)[:, -2:]).ravel() > 1e-4
        self.assertGreater(clear.sum(), TEST * 0.99)
        np.testing.assert_array_equal(predicted[clear], expected.argmax(axis=1)[clear])
        np.testing.assert_array_equal(self.read("predict.h5", "labels"), self.labels["test"])
        self.assertGreater(np.mean(predicted == self.labels["test"]), 0.6, "nothing learned")

    def test_codes_of_each_layer_are_those_of_numpy(self):
        self.assert_close(self.read("encode.h5", "codes"), self.codes("test", 2), 1e-5, "last")
        self.apply("encode", "--layer", 1, "--output", "first.h5")
        self.assert_close(self.read("first.h5", "codes"), self.codes("test", 1), 1e-5, "first")

    def test_reconstructions_are_those_of_numpy_in_the_shape_of_the_images(self):
        self.assert_close(self.read("reconstruct.h5", "reconstructions"),
                          self.reconstructions("test", 1), 1e-5, "layer 1")
        self.apply("reconstruct", "--output", "deep.h5")
        self.assert_close(self.read("deep.h5", "reconstructions"),
                          self.reconstructions("test", 2), 1e-5, "layer 2")

    def test_any_number_of_ranks_writes_the_same_bytes(self):
        for command, options in COMMANDS.items():
            expected = (self.folder / f"{command}.h5").read_bytes()
            for ranks, access in ((3, "shared"), (7, "scatter")):
                with self.subTest(command, ranks=ranks):
                    self.apply(command, *options, "--output", "again.h5", "--data-access", access,
                               ranks=ranks)
                    self.assertEqual((self.folder / "again.h5").read_bytes(), expected)

    def test_parts_of_the_training_split(self):
        for split, begin, end in (("train", VALIDATION, TRAIN), ("validation", 0, VALIDATION)):
            self.apply("encode", "--split", split, "--validation", "first", "--output",
                       f"{split}.h5", ranks=2)
            self.assert_close(self.read(f"{split}.h5", "codes"),
                              self.codes("train", 2)[begin:end], 1e-5, split)
            np.testing.assert_array_equal(self.read(f"{split}.h5", "labels"),
                                          self.labels["train"][begin:end])
            with h5py.File(self.folder / f"{split}.h5") as file:
                self.assertEqual(file.attrs["first_sample"], begin)

    def test_training_and_validation_set_are_those_of_the_run(self):
        samples = {}
        for split in ("train", "validation"):
            self.apply("encode", "--split", split, "--output", f"own_{split}.h5", "--csv",
                       f"own_{split}.csv", ranks=2)
            samples[split] = self.read(f"own_{split}.h5", "samples")
            self.assert_close(self.read(f"own_{split}.h5", "codes"),
                              self.codes("train", 2)[samples[split]], 1e-5, split)
            np.testing.assert_array_equal(self.read(f"own_{split}.h5", "labels"),
                                          self.labels["train"][samples[split]])
            with open(self.folder / f"own_{split}.csv") as file:
                next(file)
                self.assertEqual([int(line.split(",", 1)[0]) for line in file],
                                 samples[split].tolist())
        self.assertEqual(sorted(np.concatenate(list(samples.values()))), list(range(TRAIN)))
        self.assertEqual(len(samples["validation"]), VALIDATION)
        shares = np.bincount(self.labels["train"], minlength=10) * VALIDATION / TRAIN
        drawn = np.bincount(self.labels["train"][samples["validation"]], minlength=10)
        self.assertLess(np.abs(drawn - shares).max(), 1)

    def test_attributes_tell_where_the_results_come_from(self):
        for command, kind in (("predict", "predictions"), ("encode", "codes"),
                              ("reconstruct", "reconstructions")):
            with h5py.File(self.folder / f"{command}.h5") as file:
                attributes = dict(file.attrs)
            self.assertEqual(attributes["format"], f"sae-{kind}")
            self.assertEqual(attributes["version"], 1)
            self.assertEqual(attributes["model"], "model.h5")
            self.assertEqual(attributes["topology"], "784-150-70-10")
            self.assertEqual(attributes["split"], "test")

    def test_labels_are_not_needed(self):
        with h5py.File(self.folder / "unlabelled.h5", "w") as file:
            file.attrs.update({"format": "sae-dataset", "version": 1, "name": "new", "classes": 0})
            file["train/images"] = self.images["test"].reshape(TEST, -1) / np.float32(255)
        for command, options in COMMANDS.items():
            self.apply(command, *options, "--split", "train", "--validation-size", 0, "--output",
                       "plain.h5", data="unlabelled.h5", ranks=3)
            with h5py.File(self.folder / "plain.h5") as file:
                self.assertNotIn("labels", file)
                name = {"predict": "predictions/probability", "encode": "codes",
                        "reconstruct": "reconstructions"}[command]
                np.testing.assert_array_equal(
                    file[name][()].reshape(TEST, -1),
                    self.read(f"{command}.h5", name).reshape(TEST, -1))

    # As comma-separated values.

    def check_csv(self, text):
        head, *lines = csv.reader(io.StringIO(text))
        self.assertEqual(head, ["sample", "label", *(f"probability{i}" for i in range(CLASSES))])
        values = np.array(lines)
        np.testing.assert_array_equal(values[:, 0].astype(int), np.arange(TEST))
        np.testing.assert_array_equal(values[:, 1].astype(int),
                                      self.read("predict.h5", "predictions/label"))
        np.testing.assert_array_equal(values[:, 2:].astype(np.float32),
                                      self.read("predict.h5", "predictions/probability"))

    def test_csv_holds_the_same_numbers(self):
        self.apply("predict", "--csv", "p.csv", "--output", "p.h5", ranks=3)
        self.check_csv((self.folder / "p.csv").read_text())
        self.assertEqual((self.folder / "p.h5").read_bytes(),
                         (self.folder / "predict.h5").read_bytes())
        self.apply("encode", "--csv", "c.csv")
        head, first, *_ = csv.reader(io.StringIO((self.folder / "c.csv").read_text()))
        self.assertEqual(head, ["sample", *(f"unit{i}" for i in range(70))])
        np.testing.assert_array_equal(np.array(first[1:], np.float32),
                                      self.read("encode.h5", "codes")[0])

    def test_csv_to_the_output_is_alone_there(self):
        for ranks in (0, 2):
            words = " ".join(command_line("predict", "model.h5", "--data", "data.h5", "--csv", "-",
                                          ranks=ranks))
            self.run_program("-c", f"{words} > alone.csv", program="/bin/sh")
            self.check_csv((self.folder / "alone.csv").read_text())

    def test_evaluation_as_csv(self):
        table = self.run_program("evaluate", "model.h5", "--data", "data.h5", "--csv", "-",
                                 "--confusion", ranks=2)
        head, *rows = csv.reader(io.StringIO(table))
        self.assertEqual(head, ["label", *map(str, range(CLASSES))])
        confusion = np.array(rows, int)
        np.testing.assert_array_equal(confusion[:, 0], range(CLASSES))
        expected = np.zeros((CLASSES, CLASSES), int)
        np.add.at(expected, (self.labels["test"], self.read("predict.h5", "predictions/label")), 1)
        np.testing.assert_array_equal(confusion[:, 1:], expected)

        printed = self.run_program("evaluate", "model.h5", "--data", "data.h5", "--csv", "e.csv")
        self.assertIn("predicted", printed)
        (figures,) = csv.DictReader(io.StringIO((self.folder / "e.csv").read_text()))
        errors = TEST - np.trace(expected)
        self.assertEqual((int(figures["samples"]), int(figures["errors"])), (TEST, errors))
        self.assertAlmostEqual(float(figures["error_percent"]), 100 * errors / TEST)
        chosen = self.probabilities("test")[np.arange(TEST), self.labels["test"]]
        self.assertAlmostEqual(float(figures["loss"]), -np.log(chosen).mean(), places=5)

    # What users see.

    def test_one_line_tells_what_was_written(self):
        output = self.apply("encode", "--output", "told.h5", ranks=2)
        self.assertRegex(output, r"^model.h5: codes of hidden layer 2 for 2,611 samples of the test "
                                 r"set of data.h5 in [\d.]+ s, [\d,]+ samples/s; written to "
                                 r"told.h5\n$")
        self.assertEqual(self.apply("encode", "--output", "told.h5", "--quiet"), "")

    def test_a_terminal_shows_a_bar(self):
        for ranks in (0, 2):
            shown = on_a_terminal(command_line("encode", "model.h5", "--data", "data.h5",
                                               "--output", "shown.h5", ranks=ranks), self.folder)
            bars = re.findall("\r\x1b\\[K(\\[=*-*\\] \\d+% .* samples/s left \\S+)", shown)
            self.assertTrue(bars, shown)
            self.assertIn("of 2,611", bars[0])
            self.assertIn("\r\x1b[Kmodel.h5: codes", shown)

    def test_a_model_whose_output_layer_is_not_trained_is_told(self):
        settings = ["--data", "data.h5", "--validation-size", VALIDATION, "--units", 20,
                    "--pretrain-epochs", 1, "--quiet"]
        steps = (TRAIN - VALIDATION) // 100  # Of the only epoch of pretraining.
        checkpoint = "checkpoints/step-{:010}.h5".format
        self.train("pretrained", *settings, "--stop-after-steps", steps, code=STOPPED)
        self.train("unsupervised", *settings, "--finetune-epochs", 0)
        self.train("begun", *settings, "--stop-after-steps", steps + 1, code=STOPPED)

        def warnings(command, model, *options, ranks=0):
            output = self.run_program(command, model, "--data", "data.h5", *options, ranks=ranks)
            return re.findall("^sae_dist: warning: (.*)", output, re.MULTILINE)

        to = ["--output", "warned.h5", "--quiet"]
        for model in (f"pretrained/{checkpoint(steps)}", "unsupervised/model.h5"):
            for ranks in (0, 2):
                for command, options in (("predict", to), ("evaluate", [])):
                    with self.subTest(command, model=model, ranks=ranks):
                        (warning,) = warnings(command, model, *options, ranks=ranks)
                        self.assertIn(f"{model} was saved before the first step of fine-tuning",
                                      warning)
            self.assertEqual(warnings("encode", model, *to), [])
            self.assertEqual(warnings("reconstruct", model, *to), [])
        for model in (f"begun/{checkpoint(steps + 1)}", "model.h5"):
            self.assertEqual(warnings("predict", model, *to), [])
            self.assertEqual(warnings("evaluate", model), [])

    # What is refused.

    def test_wrong_input_writes_nothing(self):
        write_dataset(self.folder / "small.h5", toy_samples(9, features=400),
                      toy_samples(9, features=400), classes=3)
        shutil.copy(self.folder / "data.h5", self.folder / "flip.h5")
        damage(self.folder / "flip.h5", "test/images", 2000)
        (self.folder / "text.h5").write_text("no HDF5")
        with h5py.File(self.folder / "untested.h5", "w") as file:
            file.attrs.update({"format": "sae-dataset", "version": 1, "name": "new", "classes": 0})
            file["train/images"] = self.images["test"]
        cases = []
        for command in COMMANDS:
            to = ["--output", f"{command}-refused.h5", "--csv", f"{command}-refused.csv"]
            cases += [
                (UNSUITABLE, ["784", "400", "small.h5"],
                 [command, "model.h5", "--data", "small.h5", *to]),
                (UNSUITABLE, ["flip.h5", "/test/images"],
                 [command, "model.h5", "--data", "flip.h5", *to]),
            ]
        # All commands read models and samples by the same code.
        to = ["--output", "refused.h5", "--csv", "refused.csv"]
        cases += [
            (UNSUITABLE, ["text.h5"], ["predict", "text.h5", "--data", "data.h5", *to]),
            (UNSUITABLE, ["text.h5"], ["predict", "model.h5", "--data", "text.h5", *to]),
            (UNSUITABLE, ["untested.h5", "test split", "--validation-size 0"],
             ["encode", "model.h5", "--data", "untested.h5", *to]),
            (UNSUITABLE, ["data.h5"], ["reconstruct", "data.h5", "--data", "data.h5", *to]),
            (UNSUITABLE, ["1301", "1300"],
             ["predict", "model.h5", "--data", "data.h5", "--split", "train",
              "--validation-size", 1301, *to]),
            (MISSING, ["absent.h5"], ["predict", "absent.h5", "--data", "data.h5", *to]),
            (MISSING, ["absent.h5"], ["predict", "model.h5", "--data", "absent.h5", *to]),
        ]
        cases += [
            (USAGE, ["2 hidden layers", "3"],
             ["encode", "model.h5", "--data", "data.h5", "--layer", 3, "--output", "x.h5"]),
            (USAGE, ["--output", "--csv"], ["encode", "model.h5", "--data", "data.h5"]),
            (USAGE, ["layer"], ["predict", "model.h5", "--layer", 1, "--output", "x.h5"]),
            (USAGE, ["MODEL"], ["predict", "--output", "x.h5"]),
            (OUTPUT, ["no/x.h5"],
             ["predict", "model.h5", "--data", "data.h5", "--output", "no/x.h5"]),
            (OUTPUT, ["no/x.csv"],
             ["predict", "model.h5", "--data", "data.h5", "--csv", "no/x.csv"]),
            (OUTPUT, ["model.h5"],
             ["encode", "model.h5", "--data", "data.h5", "--output", "./model.h5"]),
            (OUTPUT, ["data.h5"],
             ["encode", "model.h5", "--data", "data.h5", "--csv", "./data.h5"]),
        ]
        os.mkfifo(self.folder / "pipe.h5")
        (self.folder / "link.csv").symlink_to("data.h5")
        cases += [
            (OUTPUT, ["pipe.h5", "not a file"],
             ["encode", "model.h5", "--data", "data.h5", "--output", "pipe.h5"]),
            (OUTPUT, ["link.csv", "it is read"],
             ["evaluate", "model.h5", "--data", "data.h5", "--csv", "link.csv", "--force"]),
            *((OUTPUT, ["best.h5 is a model", "--force"], [*words, "run/best.h5"]) for words in (
                ["predict", "model.h5", "--data", "data.h5", "--output"],
                ["evaluate", "model.h5", "--data", "data.h5", "--csv"],
                ["bench", "--units", 20, "--steps-only", "--json"])),
        ]
        self.assert_refused(*cases)
        self.assert_refused(cases[0], cases[1], ranks=3)

    def test_an_output_that_takes_no_more_is_told(self):
        output = self.run_program("-c", f"'{PROGRAM}' predict model.h5 --data data.h5 --csv - "
                                        "> /dev/full", program="/bin/sh", code=OUTPUT)
        self.assertRegex(output, "standard output.*No space left")


if __name__ == "__main__":
    unittest.main()

"""What h5py and numpy make of model.h5 is what sae_dist evaluate prints."""

import unittest

import h5py
import numpy as np

from sae_program import (ProgramTest, arrays_of, mnist_subset, printed_confusion, printed_counts)

CLASSES = 10


class ModelFile(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mnist_subset(cls.folder / "data.h5", train=3500, test=10000)
        cls.trained = cls.train(
            "run", "--data", "data.h5", "--validation-size", 500, "--units", "150,70",
            "--corruption", "0.1,0.2", "--pretrain-epochs", 1, "--finetune-epochs", 2)
        cls.confusion = confusion_by_numpy(cls.folder / "run" / "model.h5", cls.folder / "data.h5")

    def test_evaluate_counts_the_errors_that_numpy_counts(self):
        samples = self.confusion.sum()
        errors = samples - np.trace(self.confusion)
        self.assertLess(errors, samples / 3, "the model has learned nothing")
        for ranks in (0, 1, 3):
            with self.subTest(ranks=ranks):
                output = self.run_program("evaluate", "run/model.h5", "--data", "data.h5",
                                          ranks=ranks)
                self.assertEqual(printed_counts(output), [(errors, samples)])
                np.testing.assert_array_equal(printed_confusion(output), self.confusion)

    def test_training_ends_with_the_same_count(self):
        # Validation and test error of the final model, then of the best.
        _, test, _, _ = printed_counts(self.trained)
        samples = self.confusion.sum()
        self.assertEqual(test, (samples - np.trace(self.confusion), samples))

    def test_attributes_tell_what_the_file_is(self):
        with h5py.File(self.folder / "run" / "model.h5") as file:
            attributes = dict(file.attrs)
        self.assertEqual(attributes["format"], "sae-checkpoint")
        self.assertEqual(attributes["version"], 2)
        self.assertEqual(attributes["seed"], 1)
        self.assertEqual(attributes["finished"], 1)
        self.assertEqual((attributes["stage"], attributes["epoch"]), ("finetune", 2))
        self.assertEqual(attributes["step"], 4 * 3000 // 100)
        self.assertEqual(attributes["config"], (self.folder / "run" / "config.cfg").read_text())
        with h5py.File(self.folder / "run" / "model.h5") as file:
            self.assertEqual(dict(file["model"].attrs),
                             {"activation": "sigmoid", "visible": "bernoulli", "decoder": "tied",
                              "normalization": "none", "lateral": 0, "scale": "none", "input_type": "uint8"})

    def test_every_array_is_float32_of_its_shape_in_one_block(self):
        sizes = {"hidden1": (784, 150), "hidden2": (150, 70), "output": (70, CLASSES)}
        expected = {}
        for layer, (inputs, units) in sizes.items():
            expected[f"model/{layer}/weights"] = (inputs, units)
            expected[f"model/{layer}/bias"] = (units,)
            if layer != "output":
                expected[f"model/{layer}/visible_bias"] = (inputs,)
        with h5py.File(self.folder / "run" / "model.h5") as file:
            for name, shape in expected.items():
                self.assertEqual(file[name].shape, shape, name)
                self.assertEqual(file[name].dtype, np.float32, name)
                self.assertIsNone(file[name].chunks, name)


def confusion_by_numpy(model, data):
    """The network as the manual gives it, with the arrays as stored, in float64."""
    arrays = arrays_of(model)
    with h5py.File(data) as file:
        images, labels = file["test/images"][()], file["test/labels"][()]
    h = images.reshape(len(images), -1) / 255.0
    for layer in ("hidden1", "hidden2"):
        h = 1 / (1 + np.exp(-(h @ arrays[f"{layer}/weights"] + arrays[f"{layer}/bias"])))
    logits = h @ arrays["output/weights"] + arrays["output/bias"]
    confusion = np.zeros((CLASSES, CLASSES), dtype=int)
    np.add.at(confusion, (labels, logits.argmax(axis=1)), 1)
    return confusion


if __name__ == "__main__":
    unittest.main()

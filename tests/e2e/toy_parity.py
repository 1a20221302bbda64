"""Ranks that hold unequal parts of a batch, or none, change nothing: 97 samples in batches of 10 on
up to 11 ranks, and every sample is counted once.

usage: toy_parity.py float32|bfloat16 flat|node
"""

import sys
import unittest

import numpy as np

from sae_program import (ProgramTest, arrays_of, metrics_of, printed_confusion, printed_counts,
                         toy_samples, write_dataset)

TRAINING, VALIDATION, TEST, BATCH_SIZE, CLASSES = 97, 7, 31, 10, 3
EPOCHS = 2
RANKS = range(1, 12)
AVERAGING = sys.argv.pop(2)
PRECISION = sys.argv.pop(1)
# Each rank rounds its part of a gradient once: to 2^-24, or to 2^-9 of it. Weights below 4 are then
# rounded likewise for the products.
TOLERANCE = {"float32": 1e-5, "bfloat16": 2e-2}[PRECISION]
# A sample or two on the border of two classes may fall on the other side.
ERROR_POINTS = {"float32": 1e-5, "bfloat16": 2.1 * 100 / TRAINING}[PRECISION]


class ToyParity(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.test = toy_samples(TEST, seed=1)
        write_dataset(cls.folder / "data.h5", toy_samples(VALIDATION + TRAINING), cls.test, CLASSES)
        cls.output = {ranks: cls.train(
            f"ranks{ranks}", "--data", "data.h5", "--validation-size", VALIDATION,
            "--batch-size", BATCH_SIZE, "--units", "20,15", "--corruption", 0.3,
            "--pretrain-epochs", EPOCHS, "--finetune-epochs", EPOCHS, "--precision", PRECISION,
            "--averaging", AVERAGING, "--validation", "first", ranks=ranks)
            for ranks in RANKS}

    def test_losses_agree(self):
        expected = metrics_of(self.folder / "ranks1")
        self.assertEqual(len(expected), 3 * EPOCHS)
        for ranks in RANKS:
            found = metrics_of(self.folder / f"ranks{ranks}")
            for key, tolerance in (("loss", TOLERANCE), ("validation_loss", TOLERANCE),
                                   ("train_error", ERROR_POINTS),
                                   ("validation_error", ERROR_POINTS * TRAINING / VALIDATION)):
                self.assert_close([line.get(key, 0) for line in found],
                                  [line.get(key, 0) for line in expected], tolerance,
                                  f"{key}, {ranks} ranks")

    def test_parameters_agree(self):
        expected = arrays_of(self.folder / "ranks1" / "model.h5")
        for ranks in RANKS:
            found = arrays_of(self.folder / f"ranks{ranks}" / "model.h5")
            self.assertEqual(found.keys(), expected.keys())
            for name, values in expected.items():
                self.assert_close(found[name], values, TOLERANCE, f"{name}, {ranks} ranks")

    def test_each_epoch_trains_each_sample_once(self):
        steps = -(-TRAINING // BATCH_SIZE)
        for ranks in RANKS:
            lines = metrics_of(self.folder / f"ranks{ranks}")
            self.assertEqual([line["samples"] for line in lines], [TRAINING] * len(lines))
            self.assertEqual([line["step"] for line in lines],
                             [steps * (i + 1) for i in range(len(lines))])

    def test_each_validation_and_test_sample_is_counted_once(self):
        expected = printed_counts(self.output[1])
        by_class = np.bincount(self.test[1], minlength=CLASSES)
        for ranks in RANKS:
            found = printed_counts(self.output[ranks])
            self.assertEqual([samples for _, samples in found], 2 * [VALIDATION, TEST])
            for (errors, samples), (reference, _) in zip(found, expected):
                self.assertLessEqual(100 * abs(errors - reference) / samples,
                                     ERROR_POINTS * TRAINING / samples, f"{ranks} ranks")
            np.testing.assert_array_equal(
                printed_confusion(self.output[ranks]).sum(axis=1), by_class, f"{ranks} ranks")


if __name__ == "__main__":
    unittest.main()

"""Any number of ranks trains the same model; the same number of ranks the same bits.

usage: ranks.py small|quick AVERAGING
(a subset of MNIST and small layers, or the recipe on the whole; in float32: bfloat16 rounds the
gradients of the ranks too coarsely for these tolerances, see toy_parity.py)
"""

import shutil
import sys
import unittest

from sae_program import (MNIST, SOURCE_DIR, ProgramTest, arrays_of, metrics_of, mnist_subset,
                         printed_counts, printed_losses)

AVERAGING = sys.argv.pop(2)
SMALL = sys.argv.pop(1) == "small"
RANKS = (1, 2, 3, 5, 8)
SETTINGS = (["--data", "data.h5", "--validation-size", 500, "--units", "200,100", "--corruption",
             "0.1,0.2", "--pretrain-epochs", 1, "--finetune-epochs", 2]
            if SMALL else ["--data", MNIST, "--recipe", "quick"])
SETTINGS += ["--precision", "float32", "--averaging", AVERAGING]
SECONDS = 60 if SMALL else 900  # Eight ranks may share one core.

FOUR_DIGITS = 0.5e-4  # Relative: half a unit of the fourth digit, wherever it stands.
LAST_PRINTED = 1.01e-4  # A unit of the last digit on the console: two roundings may differ by it.
WEIGHTS = 1e-3
ERROR_POINTS = 0.1


class Ranks(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if SMALL:
            mnist_subset(cls.folder / "data.h5", train=3500, test=10000)
        else:
            shutil.copytree(SOURCE_DIR / "data" / "recipes", cls.folder / "data" / "recipes")
        cls.output = {ranks: cls.train(f"ranks{ranks}", *SETTINGS, ranks=ranks, within=SECONDS)
                      for ranks in RANKS}

    def weights(self, run):
        return arrays_of(self.folder / run / "model.h5")

    def test_losses_agree_to_four_digits(self):
        expected = metrics_of(self.folder / "ranks1")
        self.assertGreaterEqual(len(expected), 3)
        for ranks in RANKS[1:]:
            found = metrics_of(self.folder / f"ranks{ranks}")
            self.assertEqual(len(found), len(expected))
            for line, reference in zip(found, expected):
                where = f"{ranks} ranks, {line['stage']} epoch {line['epoch']}"
                for key in ("stage", "epoch", "step", "samples", "learning_rate"):
                    self.assertEqual(line[key], reference[key], where)
                for key in {"loss", "validation_loss"} & reference.keys():
                    self.assertLessEqual(abs(line[key] / reference[key] - 1), FOUR_DIGITS,
                                         f"{key}, {where}")

    def test_printed_losses_agree(self):
        expected = printed_losses(self.output[1])
        self.assertEqual(len(expected), len(metrics_of(self.folder / "ranks1")))
        for ranks in RANKS[1:]:
            found = printed_losses(self.output[ranks])
            self.assertEqual([line[:2] for line in found], [line[:2] for line in expected])
            for (stage, epoch, loss), (_, _, reference) in zip(found, expected):
                self.assertLessEqual(abs(loss - reference),
                                     max(FOUR_DIGITS * reference, LAST_PRINTED),
                                     f"{ranks} ranks, {stage} epoch {epoch}")

    def test_final_weights_agree(self):
        expected = self.weights("ranks1")
        for ranks in RANKS[1:]:
            found = self.weights(f"ranks{ranks}")
            self.assertEqual(found.keys(), expected.keys())
            for name, values in expected.items():
                self.assert_close(found[name], values, WEIGHTS, f"{name}, {ranks} ranks")

    def test_errors_agree(self):
        # Validation and test error of the final model, then of the best.
        expected = printed_counts(self.output[1])
        self.assertEqual(len(expected), 4)
        for ranks in RANKS[1:]:
            for (errors, samples), (reference, of) in zip(printed_counts(self.output[ranks]),
                                                          expected, strict=True):
                self.assertEqual(samples, of)
                self.assertLessEqual(100 * abs(errors - reference) / samples, ERROR_POINTS,
                                     f"{ranks} ranks")

    def test_the_same_number_of_ranks_gives_the_same_bits(self):
        for ranks in (3, 8) if SMALL else (2,):
            self.train(f"again{ranks}", *SETTINGS, ranks=ranks, within=SECONDS)
            model, again = ((self.folder / run / "model.h5").read_bytes()
                            for run in (f"ranks{ranks}", f"again{ranks}"))
            self.assertTrue(model == again, f"{ranks} ranks: model.h5 differs")

    if SMALL:
        def test_one_process_without_mpirun_gives_the_bits_of_one_rank(self):
            self.train("alone", *SETTINGS)
            model, alone = ((self.folder / run / "model.h5").read_bytes()
                            for run in ("ranks1", "alone"))
            self.assertTrue(model == alone, "model.h5 differs")

        def test_shared_access_gives_the_bits_of_scattered(self):
            self.train("shared", *SETTINGS, "--data-access", "shared", ranks=3)
            # The files differ in the configuration that they hold.
            found, expected = self.weights("shared"), self.weights("ranks3")
            self.assertEqual(found.keys(), expected.keys())
            for name, values in expected.items():
                self.assertEqual(found[name].tobytes(), values.tobytes(), name)


if __name__ == "__main__":
    unittest.main()

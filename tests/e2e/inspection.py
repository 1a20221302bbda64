"""inspect: what it shows of a data set, a model and a run; what it tells to type works."""

import re
import shlex
import shutil
import unittest

import h5py
import numpy as np

from sae_program import (ProgramTest, command_line, damage, mnist_subset, on_a_terminal,
                         arrays_of)

STOPPED = 75
TRAIN, TEST = 600, 100
SETTINGS = ["--data", "data.h5", "--validation-size", 100, "--units", "20,10", "--pretrain-epochs",
            "3,2", "--finetune-epochs", 4, "--batch-size", 50, "--checkpoint-every", "1e", "--quiet"]


class Inspect(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mnist_subset(cls.folder / "data.h5", train=TRAIN, test=TEST)
        cls.train("run", *SETTINGS)
        cls.train("cut", *SETTINGS, "--stop-after-steps", 63, code=STOPPED)

    def inspect(self, *arguments, **how):
        return self.run_program("inspect", *arguments, **how)

    def test_a_data_set(self):
        output = self.inspect("data.h5", ranks=2)
        with h5py.File(self.folder / "data.h5") as file:
            counts = [np.bincount(file[f"{split}/labels"][()], minlength=10)
                      for split in ("train", "test")]
        for label in range(10):
            self.assertRegex(output,
                             rf"(?m)^ +{label} +{counts[0][label]} +{counts[1][label]}$")
        self.assertIn("28 x 28", output)
        self.assertRegex(output, r"(?m)^  \d+ of 784 pixels are the same in all training samples$")
        self.assertNotIn("\x1b", output)

    def test_a_table(self):
        (self.folder / "table.csv").write_text(
            "length,same,wild,kind\n1.5,5,1,cat\n2.5,5,2,dog\n-4,5,1e9,cat\n0,5,3,\n")
        self.run_program("import", "--csv", "table.csv", "--label", "kind", "--output", "table.h5")
        output = self.inspect("table.h5")
        for line in (r"table.h5: data set 'table', 2 classes, 3 features, float32",
                     r"  values   -4 to 1e\+09, mean .*",
                     r"  1 of 3 features are the same in all training samples: same",
                     r"  1 of 3 features have values more than 1,000,000 times .*: wild",
                     r"  length +-4 +0 +2.5", r"  same +5 +5 +5  constant",
                     r"  +0 +2 +-  cat", r"  +1 +1 +-  dog", r"  +none +1 +-"):
            self.assertRegex(output, f"(?m)^{line}$")
        shown = on_a_terminal(command_line("inspect", "table.h5"), self.folder)
        self.assertNotIn("▀", shown)

    def test_pictures_of_each_class_on_a_terminal(self):
        for ranks in (0, 1):
            shown = on_a_terminal(command_line("inspect", "data.h5", ranks=ranks), self.folder)
            # Four of 28 columns and a blank fit into 120, so that ten take three rows.
            self.assertEqual(shown.count("▀"), 10 * 28 * 14)
            names = re.findall(r"(?m)^(\d(?: +\d)*) *\r?$", shown)
            self.assertEqual(" ".join(names).split(), [str(label) for label in range(10)])
        with h5py.File(self.folder / "data.h5") as file:
            first = np.flatnonzero(file["train/labels"][()] == 0)[0]
            image = file["train/images"][first].astype(int)
        greys = re.findall(r"\x1b\[38;5;(\d+);48;5;(\d+)m▀", shown)
        found = np.array(greys, int).reshape(-1, 28, 2)
        lines = found[:4 * 14].reshape(14, 4, 28, 2)[:, 0]  # The first row holds four pictures.
        np.testing.assert_array_equal(lines[..., 0], 232 + image[0::2] * 23 // 255)
        np.testing.assert_array_equal(lines[..., 1], 232 + image[1::2] * 23 // 255)

    def test_a_model(self):
        output = self.inspect("run/model.h5")
        for text in ("784-20-10-10", "verified", "finished: stage finetune, epoch 4 of 4",
                     "90 updates, seed 1", "units=20,10"):
            self.assertIn(text, output)
        for name, values in arrays_of(self.folder / "run" / "model.h5").items():
            (norm,) = re.findall(rf"(?m)^  {name} +[\dx ]+? ([\d.e+-]+) +[\d.e+-]+ +[\d.e+-]+$",
                                 output)
            self.assertAlmostEqual(float(norm), float(np.linalg.norm(values.astype(float))),
                                   delta=1e-3 * max(float(norm), 1e-3), msg=name)

    def test_a_finished_run(self):
        output = self.inspect("run")
        for text in ("784-20-10-10", "finished: stage finetune, epoch 4 of 4",
                     "pretrain1, loss of 3 epochs", "pretrain2, loss of 2 epochs",
                     "finetune, validation error, % of 4 epochs"):
            self.assertIn(text, output)
        for file in ("best.h5", "model.h5"):
            self.assertRegex(output, rf"(?m)^  {file} .* verified$")
        self.assertIn("█", output)
        self.run_what_is_told(output)

    def test_a_run_that_was_cut_and_what_to_type_to_go_on(self):
        output = self.inspect("cut")
        self.assertIn("before the end: stage finetune, epoch 2 of 4 after 3 updates of it, 63 updates",
                      output)
        self.assertRegex(output, r"(?m)^  checkpoints/step-0000000063.h5 .* verified$")
        self.run_what_is_told(output)
        self.assertEqual((self.folder / "cut" / "model.h5").read_bytes(),
                         (self.folder / "run" / "model.h5").read_bytes())

    def run_what_is_told(self, output):
        (told,) = re.findall(r"(?m)^    sae_dist (.*)$", output)
        return self.run_program(*shlex.split(told))

    def test_a_damaged_checkpoint_of_a_run_is_told_and_the_one_before_is_shown(self):
        shutil.copytree(self.folder / "cut", self.folder / "hurt")
        (self.folder / "hurt" / "model.h5").unlink(missing_ok=True)
        checkpoints = sorted((self.folder / "hurt" / "checkpoints").glob("*.h5"))
        damage(checkpoints[-1], "model/hidden1/weights", 0)
        output = self.inspect("hurt")
        self.assertRegex(output, rf"(?m)^  checkpoints/{checkpoints[-1].name} .*not verified: .*digest")
        self.assertRegex(output, rf"(?m)^  checkpoints/{checkpoints[-2].name} .* verified$")
        self.assertIn(f"{int(checkpoints[-2].stem.split('-')[1])} updates", output)


if __name__ == "__main__":
    unittest.main()

"""Tables of one's own, from text to features and scores: with words, missing values, scaling of every
kind, few labels or none, each on several numbers of ranks, cut and resumed, and by lines of numpy."""

import csv
import re
import shutil
import unittest

import h5py
import numpy as np

from sae_program import SOURCE_DIR, ProgramTest, arrays_of, metrics_of

ROWS, VALIDATION = 700, 90
COMMON = ["--data", "table.h5", "--validation-size", VALIDATION, "--units", "12,7", "--batch-size", 32,
          "--pretrain-epochs", 3, "--finetune-epochs", 4, "--precision", "float32", "--quiet",
          "--pretrain-learning-rate", 0.01, "--finetune-learning-rate", 0.01]
KINDS = {
    "standard": ["--finetune", "reconstruct"],
    "rank_gauss_swapped": ["--finetune", "reconstruct", "--scale", "rank-gauss", "--noise", "swap",
                           "--corruption", "0.2"],
    "min_max": ["--finetune", "reconstruct", "--scale", "min-max", "--visible", "bernoulli",
                "--noise", "salt-and-pepper", "--early-stop", 2],
    "ten_labels": ["--finetune", "classify", "--labelled", 10, "--noise", "gaussian"],
    "pretrained_only": ["--finetune", "none"],
}


def write_table(path, rows, seed):
    """Numbers of very different sizes that hang together, words, gaps, and labels for some."""
    random = np.random.default_rng(seed)
    kind = random.integers(3, size=rows)
    factor = random.normal(size=rows)
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["income", "age", "ratio", "same", "colour", "kind"])
        for i in range(rows):
            gap = random.random() < 0.03
            table.writerow([round(40000 + 9000 * factor[i] + 3000 * kind[i], 2),
                            "" if gap else int(40 + 9 * factor[i] + random.normal()),
                            f"{1e-3 * (factor[i] + 0.1 * random.normal()):.6g}", 3,
                            ["red", "blue, light", "green"][kind[i]],
                            ["one", "two", "three"][kind[i]] if i % 3 else ""])


class Tables(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_table(cls.folder / "train.csv", ROWS, 1)
        write_table(cls.folder / "test.csv", 200, 2)
        cls.run_program("import", "--csv", "train.csv", "--test-csv", "test.csv", "--label", "kind",
                        "--missing", "mean", "--output", "table.h5")
        for name, options in KINDS.items():
            cls.train(name, *COMMON, *options)

    def test_the_model_is_that_of_one_rank_on_any_number(self):
        for name, options in KINDS.items():
            expected = arrays_of(self.folder / name / "model.h5")
            for ranks in (2, 3, 8):
                with self.subTest(name, ranks=ranks):
                    run = f"{name}{ranks}"
                    self.train(run, *COMMON, *options, ranks=ranks)
                    found = arrays_of(self.folder / run / "model.h5")
                    self.assertEqual(found.keys(), expected.keys())
                    for array, values in expected.items():
                        self.assert_close(found[array], values, 1e-4, array)
                    self.assertEqual([(line["stage"], line["step"], line["samples"])
                                      for line in metrics_of(self.folder / run)],
                                     [(line["stage"], line["step"], line["samples"])
                                      for line in metrics_of(self.folder / name)])

    def test_a_run_that_is_cut_ends_with_the_same_bits(self):
        for name, options in KINDS.items():
            with self.subTest(name):
                for steps in (7, 29):
                    self.train(f"{name}_cut", "--resume", "auto", "--stop-after-steps", steps, *COMMON,
                               *options, code=75)
                self.train(f"{name}_cut", "--resume", "auto", *COMMON, *options)
                for file in ("model.h5", "pretrained.h5"):
                    self.assertEqual((self.folder / f"{name}_cut" / file).read_bytes(),
                                     (self.folder / name / file).read_bytes())

    def test_reproducibly_ranks_change_no_bit(self):
        for name, options in KINDS.items():
            with self.subTest(name):
                files = {}
                for ranks in (1, 4):
                    run = f"{name}_reproducible{ranks}"
                    self.train(run, *COMMON, *options, "--reproducible", ranks=ranks)
                    files[ranks] = [path.read_bytes() for path in
                                    sorted((self.folder / run).glob("*.h5"))]
                self.assertEqual(files[1], files[4])

    def test_scores_are_the_same_bytes_on_any_number_of_ranks(self):
        for name in ("standard", "rank_gauss_swapped", "min_max"):
            written = []
            for ranks in (1, 2, 3):
                self.run_program("score", f"{name}/best.h5", "--data", "table.h5", "--per-feature",
                                 "--contamination", 0.1, "--output", "scores.h5", "--csv", "scores.csv",
                                 ranks=ranks)
                written.append([(self.folder / file).read_bytes() for file in ("scores.h5", "scores.csv")])
            self.assertEqual(written[0], written[1])
            self.assertEqual(written[0], written[2])
            with h5py.File(self.folder / "scores.h5") as file:
                np.testing.assert_allclose(file["scores"][:], file["feature_errors"][:].mean(axis=1), 1e-5)
                np.testing.assert_array_equal(file["anomalies"][:],
                                              file["scores"][:] > file.attrs["threshold"])

    def test_the_threshold_is_that_of_the_validation_set(self):
        for split in ("validation", "test"):
            told = self.run_program("score", "standard/model.h5", "--data", "table.h5", "--split", split,
                                    "--contamination", 0.1, "--output", f"{split}.h5")
            with h5py.File(self.folder / f"{split}.h5") as file:
                marked = file["anomalies"][:]
            self.assertIn(f"{marked.sum()} of {marked.size} samples score above", told)
        with h5py.File(self.folder / "validation.h5") as own, h5py.File(self.folder / "test.h5") as other:
            self.assertEqual(own.attrs["threshold"], other.attrs["threshold"])
            self.assertEqual(own["anomalies"][:].sum(), VALIDATION // 10)

    def test_how_well_scores_tell_labels(self):
        # Labels are words, in their order: "one" is 0, the others count as anomalies.
        told = self.run_program("score", "standard/model.h5", "--data", "table.h5", "--csv", "told.csv",
                                "--labels-are-anomalies")
        self.assertRegex(told, r"ROC AUC +0\.\d{4}\n +average precision +0\.\d{4}")

    def test_reconstructions_are_in_the_units_of_the_table(self):
        with h5py.File(self.folder / "table.h5") as file:
            values = file["test/images"][:]
        # Units within [0, 1] and their noise learn less in so few epochs.
        for name, least in (("standard", 0.8), ("rank_gauss_swapped", 0.8), ("min_max", 0.3)):
            self.run_program("reconstruct", f"{name}/model.h5", "--data", "table.h5", "--output", "r.h5")
            with h5py.File(self.folder / "r.h5") as file:
                income = file["reconstructions"][:, 0]
            self.assertGreater(np.corrcoef(income, values[:, 0])[0, 1], least, name)
            self.assertLess(abs(income.mean() - values[:, 0].mean()), 3000, name)

    def test_lines_of_numpy_give_the_scores_of_rows_as_they_are(self):
        with open(self.folder / "test.csv") as file:
            rows = [row for row in csv.DictReader(file) if row["age"]]
        with open(self.folder / "new.csv", "w", newline="") as file:
            table = csv.DictWriter(file, rows[0].keys())
            table.writeheader()
            table.writerows(rows)
        shutil.copy(self.folder / "standard" / "model.h5", self.folder / "model.h5")
        text = (SOURCE_DIR / "data/README.md").read_text()
        (code,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
                   if "DictReader" in block]
        self.assertLessEqual(code.count("\n"), 12)
        variables = {}
        exec(re.sub(r'"((model\.h5|new\.csv))"', rf'"{self.folder}/\1"', code), variables)
        self.run_program("import", "--csv", "train.csv", "--test-csv", "new.csv", "--label", "kind",
                         "--missing", "mean", "--output", "new.h5")
        self.run_program("score", "model.h5", "--data", "new.h5", "--output", "scores.h5")
        with h5py.File(self.folder / "scores.h5") as file:
            np.testing.assert_allclose(variables["scores"], file["scores"][:], rtol=1e-4, atol=1e-6)

    def test_a_model_refuses_features_of_other_names_or_order(self):
        with open(self.folder / "test.csv") as file:
            rows = list(csv.DictReader(file))
        first, second, *others = rows[0]
        with open(self.folder / "swapped.csv", "w", newline="") as file:
            table = csv.DictWriter(file, [second, first, *others])
            table.writeheader()
            table.writerows(rows)
        self.run_program("import", "--csv", "swapped.csv", "--label", "kind", "--missing", "mean",
                         "--output", "swapped.h5")
        use = ["--data", "swapped.h5", "--split", "train", "--validation-size", 0]
        for command in (["score", "standard/best.h5", *use, "--csv", "s.csv"],
                        ["evaluate", "standard/best.h5", *use]):
            self.assert_refused((65, [f"'{first}' in the model", f"'{second}' in the data set",
                                      "--test-csv"], command))
        self.assert_refused((65, ["initial model", f"'{first}' in the model"],
                             ["--run", "w", "--data", "swapped.h5", "--validation-size", 20, "--units",
                              "12,7", "--initial-model", "standard/pretrained.h5"]))

    def test_scores_of_a_classifier_come_with_a_warning(self):
        for model, warns in (("ten_labels/model.h5", True), ("ten_labels/pretrained.h5", False),
                             ("standard/model.h5", False)):
            told = self.run_program("score", model, "--data", "table.h5", "--csv", "s.csv")
            self.assertEqual("fine-tuned as a classifier" in told, warns, model)

    def test_a_run_starts_from_a_model_and_other_data(self):
        self.run_program("import", "--csv", "test.csv", "--label", "kind", "--missing", "mean", "--output",
                         "other.h5")
        with h5py.File(self.folder / "standard/pretrained.h5") as file:
            offset = file["scaling/offset"][:]
        self.train("warm", "--data", "other.h5", "--validation-size", 20, "--units", "12,7",
                   "--pretrain-epochs", 0, "--finetune-epochs", 2, "--quiet", "--initial-model", "standard/pretrained.h5", "--finetune", "classify")
        with h5py.File(self.folder / "warm/model.h5") as file:
            np.testing.assert_array_equal(file["scaling/offset"][:], offset)
        self.assert_refused((64, ["initial model", "--scale"],
                             ["--run", "wrong", *COMMON, "--scale", "min-max", "--initial-model",
                              "standard/pretrained.h5"]))


if __name__ == "__main__":
    unittest.main()

"""The lines of Python in data/README.md, run as they stand."""

import re
import unittest

import h5py
import numpy as np

from sae_program import SOURCE_DIR, ProgramTest, mnist_subset

TRAIN, TEST = 2000, 1000


class PythonReaders(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "data").mkdir()
        mnist_subset(cls.folder / "data" / "mnist.h5", train=TRAIN, test=TEST)
        cls.train("run", "--validation-size", 100, "--units", "80,40", "--pretrain-epochs", 1,
                  "--finetune-epochs", 8, "--quiet")
        (cls.folder / "run" / "model.h5").rename(cls.folder / "model.h5")

    def run_lines(self, words):
        """The variables that the block of code with these words leaves behind, and the number of
        its lines."""
        text = (SOURCE_DIR / "data" / "README.md").read_text()
        blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        (code,) = [block for block in blocks if words in block]
        variables = {"h5py": h5py}
        exec(code.replace('File("', f'File("{self.folder}/'), variables)
        return variables, code.count("\n")

    def test_few_lines_apply_a_model(self):
        variables, lines = self.run_lines('labels = (h @')
        self.assertLessEqual(lines, 11)
        self.run_program("predict", "model.h5", "--output", "predictions.h5")
        with h5py.File(self.folder / "predictions.h5") as file:
            np.testing.assert_array_equal(variables["labels"], file["predictions/label"][:])
            self.assertGreater(np.mean(variables["labels"] == file["labels"][:]), 0.7)

    def test_two_lines_load_features_that_a_linear_classifier_can_use(self):
        self.run_program("encode", "model.h5", "--output", "codes.h5", ranks=2)
        variables, lines = self.run_lines('h5py.File("codes.h5")')
        self.assertEqual(lines, 2)
        X, y = variables["X"], variables["y"]
        self.assertEqual((X.shape, y.shape), ((TEST, 40), (TEST,)))
        half = TEST // 2
        padded = np.hstack([X, np.ones((TEST, 1))])
        weights, *_ = np.linalg.lstsq(padded[:half], np.eye(10)[y[:half]], rcond=None)
        right = np.mean((padded[half:] @ weights).argmax(axis=1) == y[half:])
        self.assertGreater(right, 0.7)


if __name__ == "__main__":
    unittest.main()

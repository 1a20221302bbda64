"""Filters that pretraining leaves look like strokes and blobs rather than noise: neighbouring pixels of
a filter correlate. usage: filters.py [FOLDER], which keeps the picture."""

import pathlib
import shutil
import sys
import unittest

import numpy as np

from sae_program import MNIST, ProgramTest, arrays_of

KEPT = pathlib.Path(sys.argv.pop()) if len(sys.argv) > 1 else None
STEPS = 5500  # Of the first stage, ten epochs: what follows it is not looked at.


def correlation_of_neighbours(filters):
    """Mean over filters (filters, height, width) of the absolute correlation of the pixels of a filter
    with those to the right and below."""
    found = []
    for pixels in filters:
        first = np.concatenate([pixels[:, :-1].ravel(), pixels[:-1].ravel()])
        second = np.concatenate([pixels[:, 1:].ravel(), pixels[1:].ravel()])
        found.append(abs(np.corrcoef(first, second)[0, 1]))
    return np.mean(found)


class Filters(ProgramTest):
    def test_of_the_tutorial_are_smooth(self):
        noise = np.random.default_rng(1).uniform(-1, 1, size=(1000, 28, 28))
        self.assertLess(correlation_of_neighbours(noise), 0.05)
        self.train("run", "--recipe", "tutorial", "--data", MNIST, "--stop-after-steps", STEPS,
                   ranks=2, code=75, within=1000)
        if KEPT is not None:
            shutil.copy(self.folder / "run/filters-hidden1.png", KEPT)
        weights = arrays_of(self.folder / f"run/checkpoints/step-{STEPS:010}.h5")["hidden1/weights"]
        found = correlation_of_neighbours(weights.T.reshape(-1, 28, 28))
        print(f"mean absolute correlation of neighbouring pixels: {found:.3f}")
        self.assertGreaterEqual(found, 0.5)


if __name__ == "__main__":
    unittest.main()

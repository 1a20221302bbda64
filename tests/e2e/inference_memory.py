"""A million samples pass through predict and encode in little memory, with a progress bar."""

import re
import sys
import unittest

import h5py
import numpy as np

import peak_memory
from sae_program import PROGRAM, ProgramTest, arrays_of, command_line, on_a_terminal, write_dataset

SAMPLES, BLOCK, SIDE, CLASSES, UNITS = 1_000_000, 10_000, 28, 10, 64
MOST = 100 * 2**20  # The data are 784 MB.


def images_of_block(number):
    return np.random.default_rng(number).integers(256, size=(BLOCK, SIDE, SIDE), dtype=np.uint8)


class InferenceMemory(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        few = images_of_block(0)[:300], np.arange(300) % CLASSES
        write_dataset(cls.folder / "few.h5", few, few)
        cls.train("run", "--data", "few.h5", "--validation-size", 100, "--units", UNITS,
                  "--pretrain-epochs", 1, "--finetune-epochs", 1, "--quiet")
        with h5py.File(cls.folder / "many.h5", "w") as file:
            file.attrs.update({"format": "sae-dataset", "version": 1, "name": "many", "classes": 0})
            images = file.create_dataset("train/images", (SAMPLES, SIDE, SIDE), np.uint8,
                                         chunks=(300, SIDE, SIDE), fletcher32=True)
            for begin in range(0, SAMPLES, BLOCK):
                images[begin:begin + BLOCK] = images_of_block(begin)

    def check(self, command, ranks):
        output = self.folder / f"{command}.h5"
        shown = on_a_terminal(
            command_line(peak_memory.__file__, output, PROGRAM, command, "run/model.h5",
                         "--data", "many.h5", "--split", "train", "--validation-size", 0,
                         "--output", output, program=sys.executable, ranks=ranks), self.folder)
        bars = re.findall(r"(\d+)% ([\d,]+) of 1,000,000", shown)
        self.assertGreater(len(bars), 3, shown)
        shares = [int(share) for share, _ in bars]
        self.assertEqual(shares, sorted(shares))
        peaks = peak_memory.peaks_of(output, ranks)
        print(f"{command}, {ranks} ranks: peaks {[peak >> 20 for peak in peaks]} MB;",
              re.search(r"[\d,]+ samples/s; written", shown)[0])
        self.assertGreater(min(peaks), 20 * 2**20, "the measure does not work")
        self.assertLess(max(peaks), MOST)
        return output

    def test_encode(self):
        model = arrays_of(self.folder / "run" / "model.h5")
        with h5py.File(self.check("encode", 2)) as file:
            self.assertEqual(file["codes"].shape, (SAMPLES, UNITS))
            for begin in (0, 370_000, SAMPLES - BLOCK):
                x = images_of_block(begin).reshape(BLOCK, -1) / 255.0
                expected = 1 / (1 + np.exp(-(x @ model["hidden1/weights"].astype(float)
                                             + model["hidden1/bias"])))
                self.assert_close(file["codes"][begin:begin + BLOCK], expected, 1e-5, begin)

    def test_predict(self):
        with h5py.File(self.check("predict", 3)) as file:
            probabilities = file["predictions/probability"][()]
            self.assert_close(probabilities.sum(axis=1), np.ones(SAMPLES), 1e-5, "sums")
            np.testing.assert_array_equal(file["predictions/label"][()],
                                          probabilities.argmax(axis=1))


if __name__ == "__main__":
    unittest.main()

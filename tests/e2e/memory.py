"""Rank 0 hands out a data set of 2 GB and never holds more of it than its own shard: its peak
memory stays below the shard and 64 MB."""

import sys
import unittest

import h5py
import numpy as np

import peak_memory
from sae_program import PROGRAM, ProgramTest

SAMPLES, SIDE, CLASSES = 2_600_000, 28, 10
RECORD_BYTES = SIDE * SIDE + 2  # Pixels and label.
ALLOWANCE = 64 * 2**20


class Memory(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        block = np.random.default_rng(0).integers(256, size=(10_000, SIDE, SIDE), dtype=np.uint8)
        labels = np.arange(SAMPLES) % CLASSES
        with h5py.File(cls.folder / "data.h5", "w") as file:
            file.attrs.update({"format": "sae-dataset", "version": 1, "name": "large",
                               "classes": CLASSES})
            images = file.create_dataset("train/images", (SAMPLES, SIDE, SIDE), np.uint8,
                                         chunks=(500, SIDE, SIDE))
            for begin in range(0, SAMPLES, len(block)):
                images[begin:begin + len(block)] = block
            file["train/labels"] = labels.astype(np.uint8)
            file["test/images"], file["test/labels"] = block[:100], labels[:100].astype(np.uint8)
        assert (cls.folder / "data.h5").stat().st_size > 2e9

    def check(self, ranks):
        run = f"run{ranks}"
        self.run_program(peak_memory.__file__, self.folder / run, PROGRAM, "--run", run,
                         "--data", "data.h5", "--units", 2, "--pretrain-epochs", 0,
                         "--finetune-epochs", 1, "--validation-size", 1000, "--batch-size", 1000,
                         program=sys.executable, ranks=ranks, within=600)
        peaks = peak_memory.peaks_of(self.folder / run, ranks)
        shard = RECORD_BYTES * SAMPLES // ranks
        print(f"{ranks} ranks: peaks {[peak >> 20 for peak in peaks]} MB, shard {shard >> 20} MB")
        self.assertGreater(peaks[0], shard, "the measure does not work")
        self.assertLess(peaks[0], shard + ALLOWANCE)

    def test_two_ranks(self):
        self.check(2)

    def test_four_ranks(self):
        self.check(4)


if __name__ == "__main__":
    unittest.main()

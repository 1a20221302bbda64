"""A signal ends predict, encode and reconstruct soon, with exit code 75 and one sentence; files of
before stay as they were, and none is added."""

import os
import re
import signal
import unittest
import zlib

import h5py
import numpy as np

from sae_program import ProgramTest, command_line, toy_samples, write_dataset

STOPPED = 75
SIDE, MANY, CHUNK = 28, 300_000, 1000
UNITS = 2000  # Seconds of work for each command, of which some hundredths are done.


class StoppedInference(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        few = toy_samples(100, features=SIDE * SIDE)
        write_dataset(cls.folder / "few.h5", few, few, classes=3)
        cls.train("run", "--data", "few.h5", "--validation-size", 10, "--units", UNITS,
                  "--pretrain-epochs", 1, "--finetune-epochs", 1, "--quiet")
        with h5py.File(cls.folder / "many.h5", "w") as file:
            file.attrs.update({"format": "sae-dataset", "version": 1, "name": "many", "classes": 0})
            images = file.create_dataset("train/images", (MANY, SIDE, SIDE), np.uint8,
                                         chunks=(CHUNK, SIDE, SIDE), compression="gzip")
            black = zlib.compress(bytes(CHUNK * SIDE * SIDE))
            for begin in range(0, MANY, CHUNK):
                images.id.write_direct_chunk((begin, 0, 0), black)
        for name in ("old.h5", "old.csv"):
            (cls.folder / name).write_text("of an earlier run")

    def stop(self, command, act, ranks=0, **environment):
        """Exit code and output of the command to which `act` (first process, processes of the
        ranks) was done when it had written some of its results."""
        before = self.files()
        words = command_line(command, "run/model.h5", "--data", "many.h5", "--split", "train",
                             "--validation-size", 0, "--output", "old.h5", "--csv", "old.csv",
                             ranks=ranks)

        def begun():
            return sum(file.stat().st_size > 10_000 for file in self.folder.glob("*.tmp")) >= 2

        code, text = self.act_upon(words, begun, act, patience=60, environment=environment)
        self.assertEqual(sorted(self.files() ^ before), [], "made, changed or removed")
        return code, text

    def check_sentence(self, text):
        (done,) = re.findall("^sae_dist: Stopped by a signal after ([0-9,]+) of 300,000 samples: "
                             "no file was written.$", text, re.MULTILINE)
        self.assertGreater(int(done.replace(",", "")), 0)

    def test_one_process(self):
        for command, number in (("predict", signal.SIGINT), ("predict", signal.SIGTERM),
                                ("encode", signal.SIGTERM), ("reconstruct", signal.SIGINT)):
            with self.subTest(command, signal=number):
                code, text = self.stop(command, lambda job, _: os.kill(job, number))
                self.assertEqual(code, STOPPED, text)
                self.check_sentence(text)
                # Nor the warning that comes with a classifier's reconstructions.
                self.assertEqual(text.count("\n"), 1, text)

    def test_one_rank_of_two(self):
        for command, number, rank in (("predict", signal.SIGINT, 0), ("encode", signal.SIGTERM, 1),
                                      ("reconstruct", signal.SIGTERM, 0)):
            with self.subTest(command, signal=number, rank=rank):
                code, text = self.stop(command, lambda _, ranks: os.kill(ranks[rank], number), 2)
                self.assertEqual(code, STOPPED, text)
                self.check_sentence(text)

    def test_mpirun(self):
        # It leaves its ranks one second otherwise, too little on a busy machine.
        code, text = self.stop("reconstruct", lambda job, _: os.kill(job, signal.SIGTERM), 2,
                               OMPI_MCA_odls_base_sigkill_timeout="5")
        self.assertNotEqual(code, 0, text)  # A code of its own.


if __name__ == "__main__":
    unittest.main()

"""In a control group that limits memory, the program sees the limit and keeps to it."""

import re
import unittest

from memory_group import memory_group
from sae_program import PROGRAM, ProgramTest, toy_samples, write_dataset

LIMIT = 250  # Megabytes.


class MemoryLimit(ProgramTest):
    def run_limited(self, *arguments):
        with memory_group(LIMIT) as (shell, *words):
            return self.run_program(*words, PROGRAM, *arguments, program=shell)

    def test_codes_that_would_not_fit_are_not_kept(self):
        # 280 MB of codes.
        write_dataset(self.folder / "data.h5", toy_samples(70000, features=10),
                      toy_samples(9, features=10), classes=3)
        output = self.run_limited("--data", "data.h5", "--run", "run", "--units", "1000,5",
                                  "--pretrain-epochs", 1, "--finetune-epochs", 1, "--batch-size",
                                  1000, "--precision", "float32", "--summary-every", 0)
        self.assertRegex(output, r"codes +computed in every step: 2\d\d MB of them are more than a "
                                 "quarter of the memory available")
        free = re.search(r"memory +about \d+ MB per rank; (\d+) MB available on", output)
        self.assertLess(int(free[1]), LIMIT * 1.05)

    def test_doctor_tells_of_it(self):
        write_dataset(self.folder / "small.h5", toy_samples(50), toy_samples(9), classes=3)
        output = self.run_limited("doctor", "--data", "small.h5")
        self.assertRegex(output, r"warning +memory +\d{1,3} MB free on .*1 rank want about 300 MB")


if __name__ == "__main__":
    unittest.main()

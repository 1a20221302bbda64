"""On a file system where each file takes seconds until it is safe, a run ends before --max-time is over
and trains on while a checkpoint is written. usage: ... PRELOADED_LIBRARY"""

import sys
import time
import unittest

import h5py
from sae_program import ProgramTest, command_line, toy_samples, write_dataset

PRELOADED = sys.argv.pop(1)
SETTINGS = ["--data", "data.h5", "--validation-size", "10", "--units", "20", "--pretrain-epochs",
            "1000000", "--quiet", "--summary-every", "0"]
SLOW = {"LD_PRELOAD": PRELOADED, "CRASH_IN": "/checkpoints/", "SLOW_FSYNC": "4"}
STOPPED = 75


class SlowDisk(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(100), toy_samples(10), classes=3)

    def test_the_time_that_writes_take_is_kept_in_reserve(self):
        start = time.monotonic()
        self.train("limited", *SETTINGS, "--checkpoint-every", "1s", "--max-time", "20s", code=STOPPED,
                   environment=SLOW)
        seconds = time.monotonic() - start
        print(f"ended after {seconds:.1f} s")
        self.assertLess(seconds, 20)

    def test_a_checkpoint_that_falls_due_while_one_is_written_holds_nobody_up(self):
        run = self.folder / "steps"

        def second():
            return sorted((run / "checkpoints").glob("step-*.h5"))[1:]

        command = command_line("--run", run, *SETTINGS, "--checkpoint-every", "20")
        with self.running_until(command, second, 40, SLOW) as (job, mark, seen):
            mark.left_behind(grace=0)
        self.assertTrue(seen)
        steps = []
        for path in sorted((run / "checkpoints").glob("step-*.h5"))[:2]:
            with h5py.File(path) as file:
                steps.append(int(file.attrs["step"]))
        # 20 apart if the second had been waited for; seconds of training otherwise.
        self.assertGreater(steps[1] - steps[0], 100, steps)


if __name__ == "__main__":
    unittest.main()

"""A run that is killed before any system call which changes one of its files, that is asked to stop
there, or whose disk is full there, leaves files that are each whole and of one moment, and goes on to
the bits of the run left alone. usage: ... PRELOADED_LIBRARY STEP: at every STEP-th of the calls"""

import concurrent.futures
import re
import signal
import subprocess
import sys
import unittest

from run_files import RunFiles
from sae_program import Mark, ProgramTest, command_line, toy_samples, write_dataset

STEP = int(sys.argv.pop(2))
PRELOADED = sys.argv.pop(1)
SETTINGS = ["--data", "data.h5", "--validation-size", "10", "--units", "5", "--quiet", "--batch-size",
            "10", "--pretrain-epochs", "1", "--finetune-epochs", "3", "--momentum", "0.5"]
SAVING = ["--checkpoint-every", "2", "--keep-checkpoints", "1"]
DONE, STOPPED, NO_OUTPUT, KILLED = 0, 75, 73, -signal.SIGKILL


class CrashWhileSaving(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(60), toy_samples(10), classes=3)
        cls.train("whole", *SETTINGS, "--checkpoint-every", 1, "--keep-checkpoints", 99)

    def run_with(self, name, **variables):
        (self.folder / name).mkdir()
        return subprocess.run(
            command_line(*SETTINGS, *SAVING, "--run", name, "--resume", "auto"), cwd=self.folder,
            env=Mark().environment(LD_PRELOAD=PRELOADED, CRASH_IN=f"/{name}/", **variables),
            capture_output=True, text=True, timeout=60)

    def disturb(self, codes, name, **variables):
        """Whether a checkpoint was there afterwards."""
        run = self.folder / name
        ended = self.run_with(name, **variables)
        # How many calls there are depends a little on time: the last may not have come.
        self.assertIn(ended.returncode, (*codes, DONE), ended.stderr)
        self.files.check(run)
        found = bool(list((run / "checkpoints").glob("step-*.h5")))
        self.run_program(*SETTINGS, *SAVING, "--run", name, "--resume", "auto")
        self.files.check_ended(run)
        return found

    def at_each_call(self, codes, variable, **more):
        """In the order of the calls: whether a checkpoint was there."""
        self.files = RunFiles(self, self.folder / "whole")
        kind = f"{variable}{len(more)}".lower()
        calls = int(re.search(r"calls (\d+)", self.run_with(f"calls{kind}", CRASH_TELL="1").stderr)[1])
        self.assertGreater(calls, 100)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda call: self.disturb(codes, f"{kind}.{call}", **more,
                                                           **{variable: str(call)}),
                                 range(1, calls + 1, STEP)))

    def test_killed(self):
        saved = self.at_each_call([KILLED], "CRASH_AT")
        # Once there is a checkpoint, there always is one.
        self.assertEqual(saved, sorted(saved))
        self.assertTrue(saved[-1])

    def test_stopped(self):
        self.at_each_call([STOPPED], "CRASH_AT", CRASH_SIGNAL=str(int(signal.SIGTERM)))

    def test_on_a_full_disk(self):
        self.at_each_call([NO_OUTPUT], "FULL_AT")


if __name__ == "__main__":
    unittest.main()

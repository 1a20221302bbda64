"""A process that is killed between any two system calls by which a checkpoint is published, or an old
one removed, leaves a checkpoint that verifies. usage: ... PRELOADED_LIBRARY"""

import concurrent.futures
import re
import subprocess
import sys
import unittest

from sae_program import Mark, ProgramTest, command_line, toy_samples, write_dataset

PRELOADED = sys.argv.pop(1)
SETTINGS = ["--data", "data.h5", "--validation-size", "10", "--units", "5", "--quiet",
            "--checkpoint-every", "2", "--keep-checkpoints", "1"]


class CrashWhileSaving(ProgramTest):
    def run_with(self, name, **variables):
        return subprocess.run(
            command_line(*SETTINGS, "--run", name, "--stop-after-steps", "6"), cwd=self.folder,
            env=Mark().environment(LD_PRELOAD=PRELOADED, CRASH_IN="/checkpoints", **variables),
            capture_output=True, text=True, timeout=30)

    def crash(self, call):
        name = f"run{call}"
        crashed = self.run_with(name, CRASH_AT=str(call))
        self.assertEqual(crashed.returncode, -9, crashed.stderr)
        names = [file.name for file in (self.folder / name / "checkpoints").glob("step-*.h5")]
        # None is there only before the first has its name.
        code = 75 if names else 66
        self.run_program(*SETTINGS, "--run", name, "--resume", "required", "--stop-after-steps", 1,
                         code=code)
        return bool(names)

    def test_a_checkpoint_that_verifies_is_there(self):
        write_dataset(self.folder / "data.h5", toy_samples(1000), toy_samples(10), classes=3)
        calls = int(re.search(r"calls (\d+)", self.run_with("whole", CRASH_TELL="1").stderr)[1])
        self.assertGreater(calls, 20)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            saved = list(pool.map(self.crash, range(1, calls + 1)))
        # Once there is one, there always is one.
        self.assertEqual(saved, sorted(saved))
        self.assertTrue(saved[-1])
        print(f"{calls} system calls")


if __name__ == "__main__":
    unittest.main()

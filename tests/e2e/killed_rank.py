"""A rank that is killed takes the others with it: mpirun ends soon, with a failure, and nothing is
left running."""

import os
import signal
import subprocess
import time
import unittest

from sae_program import Mark, ProgramTest, command_line, metrics_of, toy_samples, write_dataset

RANKS = 3


class KilledRank(ProgramTest):
    def test_the_job_ends(self):
        write_dataset(self.folder / "data.h5", toy_samples(100), toy_samples(10), classes=3)
        for rank in (0, 2):
            with self.subTest(rank=rank):
                self.kill(rank)

    def kill(self, rank):
        mark = Mark()
        run = self.folder / f"run{rank}"
        command = command_line("--data", "data.h5", "--run", run, "--validation-size", 10,
                               "--units", 20, "--pretrain-epochs", 1000000, "--quiet", ranks=RANKS)
        with open(self.folder / f"output{rank}", "w") as output:
            # Not a pipe: a rank left behind would hold it open, and we would wait for it.
            job = subprocess.Popen(command, cwd=self.folder, env=mark.environment(), stdout=output,
                                   stderr=output, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_until(lambda: (run / "metrics.jsonl").exists() and metrics_of(run))
            ranks = mark.ranks()
            self.assertEqual(sorted(ranks), list(range(RANKS)))
            os.kill(ranks[rank], signal.SIGKILL)
            code = job.wait(10)  # Throws if it takes longer.
        finally:
            left = mark.left_behind()
            job.wait()
        self.assertNotEqual(code, 0)
        self.assertEqual(left, {}, "left behind")
        self.assertFalse((run / "model.h5").exists(), "a model of a run that is not finished")
        self.assertEqual(list(run.glob("*.tmp")), [])


def wait_until(condition, limit=30):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"nothing for {limit} s"
        time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()

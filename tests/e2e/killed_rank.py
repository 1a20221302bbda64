"""A rank that is killed takes the others with it: mpirun ends soon, with a failure, and nothing is
left running."""

import os
import signal
import unittest

from sae_program import ProgramTest, command_line, metrics_of, toy_samples, write_dataset

RANKS = 3


class KilledRank(ProgramTest):
    def test_the_job_ends(self):
        write_dataset(self.folder / "data.h5", toy_samples(100), toy_samples(10), classes=3)
        for rank in (0, 2):
            with self.subTest(rank=rank):
                self.kill(rank)

    def kill(self, rank):
        def kill_it(_, ranks):
            self.assertEqual(sorted(ranks), list(range(RANKS)))
            os.kill(ranks[rank], signal.SIGKILL)

        run = self.folder / f"run{rank}"
        command = command_line("--data", "data.h5", "--run", run, "--validation-size", 10,
                               "--units", 20, "--pretrain-epochs", 1000000, "--quiet", ranks=RANKS)
        code, text = self.act_upon(
            command, lambda: (run / "metrics.jsonl").exists() and metrics_of(run), kill_it, within=10,
            grace=2)
        self.assertNotEqual(code, 0, text)
        self.assertFalse((run / "model.h5").exists(), "a model of a run that is not finished")
        self.assertEqual(list(run.glob("*.tmp")), [])


if __name__ == "__main__":
    unittest.main()

"""Ranks that were held up, as on a node that was cut off, while their run went on elsewhere: once they
go on they write nothing into its folder, say so, and end."""

import os
import random
import signal
import time
import unittest

from sae_program import ProgramTest, command_line, metrics_of, toy_samples, write_dataset

RANKS = 2
# Writes a checkpoint at any time, and an epoch's lines most of the time.
SETTINGS = ["--data", "data.h5", "--validation-size", "10", "--units", "20", "--pretrain-epochs", "5",
            "--finetune-epochs", "1000000", "--batch-size", "10", "--checkpoint-every", "1",
            "--resume", "auto", "--run", "run"]
STOPPED, NO_OUTPUT = 75, 73


class Superseded(ProgramTest):
    def test_the_older_session_writes_nothing_more_and_ends(self):
        write_dataset(self.folder / "data.h5", toy_samples(50), toy_samples(10), classes=3)
        self.chance = random.Random(1)
        for moment in range(6):
            with self.subTest(moment=moment):
                self.hold_up()

    def hold_up(self):
        run = self.folder / "run"
        before = len(metrics_of(run)) if run.exists() else 0
        newer = {}

        def trained():
            time.sleep(self.chance.uniform(0, 0.05))
            return (run / "metrics.jsonl").exists() and len(metrics_of(run)) > before + 3

        def overtake(_, ranks):
            for process in ranks.values():
                os.kill(process, signal.SIGSTOP)
            self.run_program(*SETTINGS, "--stop-after-steps", 100, ranks=RANKS, code=STOPPED)
            newer.update(self.files_of(run))
            for process in ranks.values():
                os.kill(process, signal.SIGCONT)

        code, text = self.act_upon(command_line(*SETTINGS, ranks=RANKS), trained, overtake, within=20)
        self.assertEqual(code, NO_OUTPUT, text)
        self.assertRegex(text, r"sae_dist \[rank 0, \S+\]: A newer process uses the run folder run "
                               r"\(generation \d+ of process \d+ on \S+\)\. This one, of generation "
                               r"\d+, may not write to it any more and ends\.")
        self.assertEqual(self.files_of(run), newer)

    def files_of(self, run):
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
                for path in run.rglob("*") if path.is_file()}


if __name__ == "__main__":
    unittest.main()

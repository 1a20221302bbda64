"""A run that is cut by SIGKILL of a random rank, at a random moment or right after the end of an epoch,
and resumed until it ends leaves the bits and the metrics of one that was left alone; whenever it is
cut, each of its files is whole and of one moment. usage: ... CUTS PRECISION AVERAGING"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
import unittest

from run_files import RunFiles, metrics_without_times
from sae_program import Mark, ProgramTest, command_line, metrics_of, toy_samples, write_dataset

AVERAGING = sys.argv.pop(3)
PRECISION = sys.argv.pop(2)
CUTS = int(sys.argv.pop(1))
RANKS = 2
SETTINGS = ["--data", "data.h5", "--validation-size", "100", "--units", "60,40", "--corruption",
            "0.2,0.3", "--pretrain-epochs", "3", "--finetune-epochs", "6", "--batch-size", "10",
            "--momentum", "0.5", "--finetune-learning-rate", "0.1", "--checkpoint-every", "40",
            "--quiet", "--precision", PRECISION]
# Ranks round their parts of a gradient to 2^-24 or to 2^-9 of them: relative to the loss.
OTHER_RANKS = {"float32": 1e-4, "bfloat16": 5e-3}[PRECISION]


def metrics(run):
    return metrics_without_times((run / "metrics.jsonl").read_text())


def epochs_done(run):
    """The number of lines of metrics.jsonl so far."""
    with contextlib.suppress(OSError):
        return (run / "metrics.jsonl").read_bytes().count(b"\n")
    return 0


class CutAndResumed(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(1500), toy_samples(50), classes=3)

    def test_gives_the_bits_of_the_run_left_alone(self):
        self.train("whole", *SETTINGS, "--averaging", AVERAGING, "--keep-checkpoints", 9999, ranks=RANKS)
        files = RunFiles(self, self.folder / "whole")
        epoch = max(line["seconds"] for line in metrics_of(self.folder / "whole"))
        chance = random.Random(1)
        cuts, runs = 0, 0
        while cuts < CUTS:
            runs += 1
            run = self.folder / f"cut{runs}"
            finished = False
            while not finished:
                # Anywhere in an epoch, or while its checkpoint is written, and often best.h5. What
                # follows the last cut ends by itself.
                after = chance.uniform(0, epoch) if cuts % 2 == 0 else chance.uniform(0, 0.01)
                epochs = epochs_done(run) + chance.randint(1, 3) if cuts < CUTS else 9999
                finished = self.attempt(run, epochs, after, chance.randrange(RANKS))
                cuts += not finished
                files.check(run)
            files.check_ended(run)
        print(f"{cuts} cuts of {runs} runs")

    def in_pieces(self, name, ranks, *options):
        """A run that each of the numbers of ranks takes a part of; the last to its end."""
        for number in ranks[:-1]:
            self.run_program("--run", name, "--resume", "auto", "--stop-after-steps", 351,
                             *SETTINGS, *options, ranks=number, code=75)
        self.run_program("--run", name, "--resume", "auto", *SETTINGS, *options, ranks=ranks[-1])
        return self.folder / name

    def test_on_other_numbers_of_ranks_uses_each_sample_once(self):
        whole = metrics(self.in_pieces("whole1", [1]))
        pieces = metrics(self.in_pieces("pieces", [4, 3, 1, 2]))
        self.assertEqual(len(pieces), len(whole))
        for line, expected in zip(pieces, whole):
            self.assertEqual(line["samples"], 1400)
            self.assertEqual((line["stage"], line["epoch"], line["step"]),
                             (expected["stage"], expected["epoch"], expected["step"]))
            self.assertLess(abs(line["loss"] - expected["loss"]), OTHER_RANKS * expected["loss"])

    def test_reproducibly_gives_the_bits_of_one_rank(self):
        whole = self.in_pieces("one", [1], "--reproducible")
        pieces = self.in_pieces("several", [8, 4, 2, 1], "--reproducible")
        for model in ("model.h5", "best.h5"):
            self.assertEqual((pieces / model).read_bytes(), (whole / model).read_bytes())
        found, expected = metrics(pieces), metrics(whole)
        for key in ("loss", "validation_loss", "train_error", "validation_error", "best"):
            self.assertEqual([line.get(key) for line in found], [line.get(key) for line in expected],
                             key)

    def attempt(self, run, epochs, seconds, rank):
        """Whether the run ended before `rank` was killed, `seconds` after so many epochs were done."""
        mark = Mark()
        job = subprocess.Popen(
            command_line("--run", run, "--resume", "auto", *SETTINGS, "--averaging", AVERAGING,
                         ranks=RANKS),
            cwd=self.folder, env=mark.environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True)
        ranks = {}
        while rank not in ranks and job.poll() is None:
            ranks = mark.ranks()
        while epochs_done(run) < epochs and job.poll() is None:
            time.sleep(0.001)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError, KeyError):  # It has just ended by itself.
            os.kill(ranks[rank], signal.SIGKILL)
        code = job.wait(20)
        self.assertEqual(mark.left_behind(), {})
        return code == 0


if __name__ == "__main__":
    unittest.main()

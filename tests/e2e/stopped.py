"""Signals, limits and stalls: the run ends cleanly, soon, with its exit code, and can be resumed.

usage: stopped.py SECONDS ... (within which a large network is saved and left)
"""

import json
import os
import pathlib
import re
import shlex
import signal
import sys
import time
import unittest

from sae_program import ProgramTest, command_line, metrics_of, toy_samples, write_dataset

LARGE_SECONDS = float(sys.argv.pop(1))
RANKS = 3
ENDLESS = ["--data", "data.h5", "--validation-size", "10", "--units", "20", "--pretrain-epochs",
           "1000000", "--quiet"]
STOPPED, DIVERGED, INTERNAL = 75, 76, 70


def alive(process):
    """Whether it has not ended; one whose parent has not asked for its end yet has."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except OSError:
        return False


class Stopped(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(100), toy_samples(10), classes=3)

    def run_until(self, name, act, *options, settings=ENDLESS, ranks=RANKS, within=10):
        """Exit code and output of an endless run to which `act` (mpirun's process, processes of
        the ranks) was done in its midst."""
        run = self.folder / name
        code, text = self.act_upon(
            command_line(*settings, "--run", run, *options, ranks=ranks),
            lambda: (run / "metrics.jsonl").exists() and metrics_of(run), act, within=within)
        return code, text, run

    def checkpoints(self, run):
        return sorted((run / "checkpoints").glob("step-*.h5"))

    def test_a_signal_to_one_rank_stops_all_with_a_checkpoint(self):
        for number, rank in ((signal.SIGTERM, 0), (signal.SIGINT, RANKS - 1), (signal.SIGUSR1, 0),
                             (signal.SIGUSR2, RANKS - 1), (signal.SIGHUP, 0), (signal.SIGQUIT, 0),
                             (signal.SIGXCPU, RANKS - 1)):
            with self.subTest(signal=number, rank=rank):
                code, text, run = self.run_until(
                    f"one{number}{rank}", lambda _, ranks: os.kill(ranks[rank], number))
                self.assertEqual(code, STOPPED, text)
                self.assertTrue(self.checkpoints(run))
                self.assertIn(f"stopped by {number.name} after step", (run / "log.txt").read_text())
                self.assertEqual(self.last_event(run)["stopped_by"], number.name)

    def last_event(self, run):
        return json.loads((run / "journal.jsonl").read_text().splitlines()[-1])

    def check_failed(self, run, exit_code, words):
        """All that tells of the run says that it ended, and how."""
        event = self.last_event(run)
        self.assertEqual((event["event"], event["exit_code"]), ("failed", exit_code))
        self.assertIn(words, event["text"])
        log = (run / "log.txt").read_text().splitlines()[-1]
        self.assertIn(f"ended with exit code {exit_code}: ", log)
        self.assertIn(words, log)
        page = (run / "report.html").read_text()
        self.assertNotIn('http-equiv="refresh"', page)
        self.assertRegex(page, f"failed</span><span[^>]*>Ended .* with exit code {exit_code}: ")

    def test_a_hangup_that_is_ignored_stops_nothing(self):
        command = ["nohup", *command_line(*ENDLESS, "--run", "nohup")]
        run = self.folder / "nohup"

        def hang_up_and_stop(job, _):
            os.kill(job, signal.SIGHUP)
            time.sleep(0.3)
            os.kill(job, signal.SIGTERM)

        code, text = self.act_upon(command, lambda: (run / "metrics.jsonl").exists() and
                                   metrics_of(run), hang_up_and_stop)
        self.assertEqual(code, STOPPED, text)
        self.assertEqual(self.last_event(run)["stopped_by"], "SIGTERM")

    def test_an_output_that_takes_no_more_ends_no_run(self):
        once = ["--data", "data.h5", "--validation-size", "10", "--units", "20", "--pretrain-epochs",
                "1", "--finetune-epochs", "1", "--run"]
        for name, words in (("full", "> /dev/full 2>&1"), ("closed", "| head -n 1"),
                            ("quiet", "--quiet 2> /dev/full")):
            with self.subTest(name):
                line = shlex.join(command_line(*once, name))
                self.run_program("-c", f"set -o pipefail; {line} {words}", program="/bin/bash")
                self.assertTrue((self.folder / name / "model.h5").exists())
                journal = (self.folder / name / "journal.jsonl").read_text()
                self.assertEqual(journal.count("Cannot print any more"), name != "quiet", journal)
        output = self.run_program("-c", f"{shlex.join(command_line('inspect', 'data.h5'))} > /dev/full",
                                  program="/bin/bash", code=73)
        self.assertIn("Cannot write standard output: No space left on device", output)

    def test_a_signal_to_all_ranks_or_to_mpirun_stops_with_a_checkpoint(self):
        def all_ranks(_, ranks):
            for process in ranks.values():
                os.kill(process, signal.SIGTERM)

        for name, act in (("all", all_ranks), ("usr1", lambda job, _: os.kill(job, signal.SIGUSR1)),
                          ("term", lambda job, _: os.kill(job, signal.SIGTERM))):
            with self.subTest(name):
                code, text, run = self.run_until(name, act)
                self.assertTrue(self.checkpoints(run), text)
                if name != "term":  # mpirun answers SIGTERM with a code of its own.
                    self.assertEqual(code, STOPPED, text)
                self.run_program("--resume", "required", "--run", run, *ENDLESS,
                                 "--stop-after-steps", 3, code=STOPPED, ranks=2)
                self.assertIn("resumed from", (run / "log.txt").read_text())

    def test_a_large_network_is_saved_and_left_in_time(self):
        write_dataset(self.folder / "wide.h5", toy_samples(5000, features=784),
                      toy_samples(10, features=784), classes=3)
        large = ["--data", "wide.h5", "--units", "2000,2000,2000", "--momentum", "0.5",
                 "--pretrain-epochs", "0", "--finetune-epochs", "1000", "--validation-size", "0",
                 "--keep-checkpoints", "1", "--quiet"]
        ended = {}

        def one_rank(_, ranks):
            ended["asked"] = time.monotonic()
            os.kill(ranks[1], signal.SIGTERM)
            while any(alive(process) for process in ranks.values()):
                time.sleep(0.01)
            ended["after"] = time.monotonic() - ended["asked"]

        code, text, run = self.run_until("large", one_rank, settings=large, ranks=2,
                                         within=60)
        self.assertEqual(code, STOPPED, text)
        print(f"left {ended['after']:.2f} s after the signal")
        self.assertLess(ended["after"], LARGE_SECONDS, text)
        self.assertEqual(len(self.checkpoints(run)), 1)

    def test_a_second_signal_ends_at_once(self):
        def twice(_, ranks):
            os.kill(ranks[1], signal.SIGSTOP)  # So that nothing can be agreed on.
            os.kill(ranks[0], signal.SIGTERM)
            time.sleep(0.5)
            os.kill(ranks[0], signal.SIGTERM)

        code, text, _ = self.run_until("twice", twice)
        self.assertNotIn(code, (0, STOPPED), text)

    def test_a_signal_of_another_kind_leaves_time_to_save(self):
        def warned_and_told(_, ranks):
            os.kill(ranks[1], signal.SIGSTOP)  # So that the first is not over when the second comes.
            os.kill(ranks[0], signal.SIGUSR1)
            time.sleep(0.5)
            os.kill(ranks[0], signal.SIGTERM)
            time.sleep(0.1)
            os.kill(ranks[1], signal.SIGCONT)

        code, text, run = self.run_until("warned", warned_and_told)
        self.assertEqual(code, STOPPED, text)
        self.assertEqual(self.last_event(run)["stopped_by"], "SIGUSR1")

    def test_a_rank_that_does_not_answer_is_named_and_the_job_ended(self):
        code, text, run = self.run_until(
            "stall", lambda _, ranks: os.kill(ranks[1], signal.SIGSTOP), "--stall-timeout", "3s",
            within=10)
        self.assertEqual(code, INTERNAL, text)
        self.assertRegex(text, r"sae_dist \[rank 1, \S+\]: no progress for \d+ s: stage pretrain1, "
                               r"step \d+, phase \w+, does not answer")
        self.assertRegex(text, r"sae_dist \[rank 0, .*phase (reduction|exchange), waits for others")
        self.check_failed(run, INTERNAL, "no progress for")

    def suspend(self, name, act):
        """Suspends an endless run for longer than its timeout; `act` gets its ranks and does the rest."""
        def suspend_all(_, ranks):
            for process in ranks.values():
                os.kill(process, signal.SIGSTOP)
            time.sleep(5)
            act(ranks)

        return self.run_until(name, suspend_all, "--stall-timeout", "3s")

    def test_a_job_that_was_suspended_continues(self):
        def wake_and_stop(ranks):
            for process in ranks.values():
                os.kill(process, signal.SIGCONT)
            time.sleep(1)
            os.kill(ranks[1], signal.SIGTERM)

        code, text, run = self.suspend("suspended", wake_and_stop)
        self.assertEqual(code, STOPPED, text)
        self.assertNotIn("no progress", text)
        self.assertTrue(self.checkpoints(run))

    def test_a_rank_that_does_not_wake_with_the_others_is_named(self):
        def wake_others(ranks):
            os.kill(ranks[0], signal.SIGCONT)
            os.kill(ranks[2], signal.SIGCONT)

        code, text, _ = self.suspend("asleep", wake_others)
        self.assertEqual(code, INTERNAL, text)
        self.assertRegex(text, r"sae_dist \[rank 1, \S+\]: no progress for .*, does not answer")

    def test_time_and_step_limits_stop_with_a_checkpoint(self):
        self.run_program(*ENDLESS, "--run", "time", "--max-time", "3s", code=STOPPED, ranks=2,
                         within=6)
        self.assertTrue(self.checkpoints(self.folder / "time"))
        self.run_program(*ENDLESS, "--run", "steps", "--stop-after-steps", "7", code=STOPPED)
        self.assertEqual([file.name for file in self.checkpoints(self.folder / "steps")],
                         ["step-0000000007.h5"])

    def test_a_run_that_diverges_says_so_once_and_keeps_the_checkpoint_before(self):
        output = self.run_program(
            "--data", "data.h5", "--validation-size", "10", "--units", "20", "--pretrain-epochs",
            "3", "--finetune-epochs", "3", "--finetune-learning-rate", "1e38", "--run", "diverge",
            code=DIVERGED, ranks=2)
        self.assertEqual(len(re.findall("^sae_dist: Training diverged in stage finetune", output,
                                        re.MULTILINE)), 1, output)
        self.assertTrue(self.checkpoints(self.folder / "diverge"))
        self.assertFalse((self.folder / "diverge" / "model.h5").exists())
        self.check_failed(self.folder / "diverge", DIVERGED, "Training diverged in stage finetune")

    def test_a_loss_that_rises_or_stays_at_that_of_guessing_is_warned_of_once(self):
        rest = ["--data", "data.h5", "--validation-size", "10", "--units", "20", "--momentum", "0",
                "--batch-size", "10", "--precision", "float32"]
        cases = {"rises": (["--pretrain-learning-rate", "300", "--pretrain-epochs", "4",
                            "--finetune-epochs", "0"], r"pretrain1, \S+, is \S+ times that of the first"),
                 "guesses": (["--pretrain-epochs", "0", "--finetune-epochs", "4",
                              "--finetune-learning-rate", "0"], "no better than by guessing among 3"),
                 "learns": (["--pretrain-epochs", "4", "--finetune-epochs", "4"], None)}
        for name, (options, words) in cases.items():
            with self.subTest(name):
                output = self.run_program(*rest, *options, "--run", name)
                found = re.findall("^warning: The loss of epoch .*", output, re.MULTILINE)
                self.assertEqual(len(found), 1 if words else 0, output)
                if words:
                    self.assertRegex(found[0], words)
                    self.assertIn("The loss of epoch", (self.folder / name / "journal.jsonl").read_text())

    def test_a_run_that_cannot_write_its_model_tells_so(self):
        blocked = self.folder / "blocked"
        (blocked / "model.h5").mkdir(parents=True)
        self.run_program("--data", "data.h5", "--validation-size", "10", "--units", "20",
                         "--pretrain-epochs", "1", "--finetune-epochs", "1", "--resume", "auto",
                         "--run", "blocked", code=73, ranks=2)
        self.check_failed(blocked, 73, "Is a directory")

    def test_other_settings_are_refused_by_name_with_both_values(self):
        self.run_program(*ENDLESS, "--run", "other", "--stop-after-steps", "3", code=STOPPED)
        output = self.run_program(*ENDLESS, "--run", "other", "--resume", "auto", "--seed", "2",
                                  "--batch-size", "7", code=64, ranks=2)
        self.assertIn("--seed was 1 and is now 2", output)
        self.assertIn("--batch-size was 100 and is now 7", output)


if __name__ == "__main__":
    unittest.main()

"""launch.sh on this host alone: when it starts again, when it ends, and with which exit code."""

import fcntl
import os
import pty
import signal
import termios
import time
import unittest

from sae_program import (SOURCE_DIR, ProgramTest, arrays_of, metrics_of, toy_samples,
                         write_dataset)

RANKS = 2
SETTINGS = ["--data", "data.h5", "--validation-size", 10, "--units", 20, "--pretrain-epochs", 100,
            "--finetune-epochs", 100, "--checkpoint-every", 20]
ENDLESS = [*SETTINGS[:-4], "--finetune-epochs", 1000000, "--checkpoint-every", 20]


class Launch(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(100), toy_samples(10), classes=3)
        (cls.folder / "hosts").write_text(f"localhost slots={RANKS}  # This one.\n")
        (cls.folder / "nowhere").write_text("nobody.invalid\n")

    def launch(self, name, *options, act=None, code=0, hostfile="hosts", launcher=(), within=60,
               **environment):
        """What it printed; its exit code is `code`, or one of them. Once `name` has a second epoch,
        `act` is done to the process of launch.sh and those of the ranks."""
        command = map(str, [SOURCE_DIR / "cluster" / "launch.sh", "--hostfile", hostfile, *launcher,
                            *options])
        run = self.folder / name
        found, text = self.act_upon(
            list(command), lambda: not act or ((run / "metrics.jsonl").exists()
                                               and len(metrics_of(run)) > 1),
            act or (lambda *_: None), within=within, environment=environment)
        self.assertIn(found, code if isinstance(code, tuple) else (code,), text)
        return text

    def test_a_killed_rank_is_made_good(self):
        self.train("reference", *SETTINGS, ranks=RANKS)
        output = self.launch("killed", *SETTINGS, "--run", "killed",
                             act=lambda _, ranks: os.kill(ranks[1], signal.SIGKILL))
        self.assertIn("restart 1 of at most 5", output)
        self.assertNotIn("restart 2", output)
        expected = arrays_of(self.folder / "reference" / "model.h5")
        for name, values in arrays_of(self.folder / "killed" / "model.h5").items():
            self.assertTrue((values == expected[name]).all(), name)

    def test_signals_stop_it_in_good_order(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
            name = number.name
            output = self.launch(name, *ENDLESS, "--run", name, code=75, within=15,
                                 act=lambda job, _, number=number: os.kill(job, number))
            self.assertNotIn("restart", output)
        # And on from there.
        self.launch("SIGTERM", *ENDLESS, "--run", "SIGTERM", "--stop-after-steps", 5, code=75)

    def test_a_closed_terminal_stops_it_cleanly(self):
        ours, terminal = pty.openpty()
        metrics = self.folder / "closed" / "metrics.jsonl"
        command = [SOURCE_DIR / "cluster" / "launch.sh", "--hostfile", "hosts", *ENDLESS, "--run", "closed"]
        with self.running_until(
                [*map(str, command)], metrics.exists, within=30, stdin=terminal, stdout=terminal,
                stderr=terminal, start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) as (job, mark, trains):
            os.close(terminal)
            self.assertTrue(trains)
            os.close(ours)
            self.assertEqual(job.wait(15), 75)
            self.assertFalse(mark.left_behind(grace=5))

    def test_a_config_names_no_run(self):
        (self.folder / "small.cfg").write_text("units=20\npretrain-epochs=1\nfinetune-epochs=1\n")
        self.launch("small", "--config", "small.cfg", *SETTINGS[:4])
        self.assertEqual(len(list(self.folder.glob("runs/*/model.h5"))), 1)

    def test_a_second_signal_ends_all(self):
        def stop_twice(job, ranks):
            os.kill(ranks[0], signal.SIGSTOP)  # So that the first has no effect for now.
            os.kill(job, signal.SIGTERM)
            time.sleep(1)
            os.kill(job, signal.SIGTERM)

        self.launch("twice", *ENDLESS, "--run", "twice", act=stop_twice, code=(1, 137), within=15)

    def test_mistakes_are_not_repeated(self):
        for code, options in ((64, ["--units", 0]), (66, ["--data", "missing.h5"])):
            output = self.launch("mistake", *options, "--run", "mistake", code=code)
            self.assertNotIn("restart", output)

    def test_restarts_are_limited(self):
        output = self.launch("fails", "--run", "fails", launcher=["--max-restarts", 2], code=1,
                             SAE_DIST="/bin/false")
        self.assertEqual(output.count("attempt "), 3, output)
        self.assertIn("after 2 restarts", output)

    def test_no_host_answers(self):
        output = self.launch("none", hostfile="nowhere", launcher=["--max-restarts", 0], code=69)
        self.assertIn("left out: nobody.invalid does not answer", output)

    def test_wrong_options_of_its_own(self):
        for word, launcher in (("--max-restarts", ["--max-restarts", "many"]),
                               ("--resume", ["--resume", "never"]), ("host file", [])):
            output = self.launch("usage", launcher=launcher, code=64,
                                 hostfile="hosts" if launcher else "missing")
            self.assertIn(word, output)


if __name__ == "__main__":
    unittest.main()

"""Folders that are in use or that the user may not enter, read or write: exit code 73 for results,
66 for input, and nothing of them is changed. Root may do everything, so it becomes nobody here."""

import os
import shutil
import signal
import subprocess
import time
import unittest

from sae_program import PROGRAM, ProgramTest, command_line, toy_samples, write_dataset

MISSING, OUTPUT = 66, 73
NOBODY = 65534


def settings(data):
    return ["--data", data, "--validation-size", 0, "--corruption", 0, "--pretrain-epochs", 0,
            "--finetune-epochs", 1]


class WrongPlaces(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(20), toy_samples(5), classes=3)
        cls.train("used", *settings("data.h5"))
        (cls.folder / "file").write_text("not a folder")
        # An ordinary user may not see the folders on the way to the program.
        cls.program = shutil.copy(PROGRAM, cls.folder)
        cls.folder.chmod(0o755)
        for name, mode in (("locked", 0o000), ("readonly", 0o555)):
            folder = cls.folder / name
            folder.mkdir()
            shutil.copy(cls.folder / "data.h5", folder)
            folder.chmod(mode)
            cls.addClassCleanup(folder.chmod, 0o755)

    def as_nobody(self, *cases, **options):
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        self.assert_refused(*cases, program=self.program, **user, **options)

    def test_runs_that_start_at_once_have_folders_of_their_own(self):
        here = self.folder / "at_once"
        here.mkdir()
        words = [PROGRAM, "--data", self.folder / "data.h5", "--units", "5", "--pretrain-epochs", "0",
                 "--finetune-epochs", "1", "--validation-size", "0", "--quiet"]
        jobs = [subprocess.Popen(words, cwd=here) for _ in range(6)]
        self.assertEqual([job.wait(timeout=50) for job in jobs], [0] * 6)
        runs = list((here / "runs").iterdir())
        self.assertEqual(sum((run / "model.h5").exists() for run in runs), 6)
        self.run_program("--data", "absent.h5", code=66, folder=here)
        self.assertEqual(sorted(runs), sorted((here / "runs").iterdir()))

    def test_a_run_folder_that_holds_a_run(self):
        self.assert_refused((OUTPUT, ["used", "holds a run", "--run"],
                             ["--run", "used", *settings("data.h5")]))

    def test_a_run_folder_of_a_run_that_has_just_begun(self):
        # One epoch of so large a layer, sample by sample, takes long.
        write_dataset(self.folder / "many.h5", toy_samples(4000), toy_samples(5), classes=3)
        command = command_line("--run", "busy", *settings("many.h5"), "--batch-size", 1,
                               "--units", 100000)
        first = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            while not (self.folder / "busy" / "report.html").exists():
                self.assertLess(time.monotonic(), deadline, "the first run does not begin")
                time.sleep(0.01)
            first.send_signal(signal.SIGSTOP)  # What changes now, the second one changes.
            self.assert_refused((OUTPUT, ["busy", "holds a run", "--run"],
                                 ["--run", "busy", *settings("data.h5")]))
            self.assertIsNone(first.poll(), "the first run has ended too early to be in the way")
        finally:
            first.kill()
            first.wait()

    def test_a_run_folder_that_is_a_file(self):
        self.assert_refused((OUTPUT, ["file"], ["--run", "file", *settings("data.h5")]),
                            (OUTPUT, ["file/run"], ["--run", "file/run", *settings("data.h5")]))

    def test_a_run_folder_that_may_not_be_written(self):
        self.as_nobody((OUTPUT, ["readonly"], ["--run", "readonly", *settings("data.h5")]),
                       (OUTPUT, ["readonly/run"], ["--run", "readonly/run", *settings("data.h5")]),
                       (OUTPUT, ["locked/run"], ["--run", "locked/run", *settings("data.h5")]))

    def test_a_current_folder_that_may_not_be_written(self):
        self.as_nobody((OUTPUT, ["runs/"], settings(self.folder / "data.h5")),
                       folder=self.folder / "readonly")

    def test_input_in_an_unreadable_folder(self):
        self.as_nobody((MISSING, ["locked/data.h5", "ermission"],
                        ["--run", "run", *settings("locked/data.h5")]),
                       (MISSING, ["locked/a.cfg"], ["--config", "locked/a.cfg"]),
                       (MISSING, ["locked/data.h5", "ermission"],
                        ["evaluate", "used/model.h5", "--data", "locked/data.h5"]),
                       (MISSING, ["locked/model.h5", "ermission"],
                        ["evaluate", "locked/model.h5", "--data", "data.h5"]),
                       (MISSING, ["locked/data.h5", "ermission"], ["inspect", "locked/data.h5"]),
                       (MISSING, ["locked"], ["inspect", "locked"]),
                       (MISSING, ["locked", "ermission"],
                        ["import", "--from", "locked", "--output", "new.h5"]),
                       (MISSING, ["locked/i", "ermission"],
                        ["import", "--train-images", "locked/i", "--output", "new.h5"]))


if __name__ == "__main__":
    unittest.main()

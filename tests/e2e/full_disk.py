"""A file system of 40 MB fills up with checkpoints: training goes on, warns at once, keeps what it had,
and fails at its end, from where it can go on with more space."""

import os
import shutil
import subprocess
import unittest

from sae_program import ProgramTest, command_line, toy_samples, write_dataset

SIZE = "40m"
# 11 MB a checkpoint: the fourth does not fit, nor does the model.
SETTINGS = ["--data", "data.h5", "--validation-size", "0", "--units", "1000,1000", "--momentum",
            "0.5", "--batch-size", "10", "--pretrain-epochs", "1", "--finetune-epochs", "1",
            "--progress", "lines", "--checkpoint-every", "10", "--keep-checkpoints", "100"]
SCRIPT = 'mount -t tmpfs -o size="$1" none "$2"; shift 2; "$@"; code=$?; cp -r disk kept; exit $code'


def with_small_disk(folder, *command):
    """The command in a mount namespace of its own, with a small disk at `folder`; afterwards a copy of
    it is at `kept` beside it."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--mount", "sh", "-c", SCRIPT, "sh", SIZE, str(folder), *command]


class FullDisk(ProgramTest):
    def test_stops_nothing_but_the_end_and_loses_nothing(self):
        write_dataset(self.folder / "data.h5", toy_samples(300, features=300),
                      toy_samples(10, features=300), classes=3)
        disk = self.folder / "disk"
        disk.mkdir()
        code, output = self.run_on(disk)
        self.assertEqual(code, 73, output)
        saved = sorted(path.name for path in (self.folder / "kept/run/checkpoints").iterdir())
        self.assertGreaterEqual(len(saved), 3)
        self.assertEqual(saved[0], "step-0000000010.h5")
        self.assertTrue(all(name.endswith(".h5") for name in saved), saved)
        self.assertRegex(output, r"warning: .*step-\d+\.h5.*No space left on device.* Training goes "
                                 r"on; older checkpoints stay")
        # Warned before the training was over, and trained to its end.
        self.assertRegex(output, r"(?s)warning: .*\nfinetune +epoch +1/1 ")
        self.assertRegex(output, r"sae_dist \[rank 0, .*No space left on device")

        shutil.copytree(self.folder / "kept/run", self.folder / "more_space")
        self.train("more_space", *SETTINGS, "--resume", "required", ranks=2)
        self.train("whole", *SETTINGS, ranks=2)
        self.assertEqual((self.folder / "more_space/model.h5").read_bytes(),
                         (self.folder / "whole/model.h5").read_bytes())

    def run_on(self, disk):
        command = command_line("--run", disk / "run", *SETTINGS, ranks=2)
        job = subprocess.run(with_small_disk(disk, *command), cwd=self.folder, text=True, timeout=50,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return job.returncode, job.stdout


if __name__ == "__main__":
    unittest.main()

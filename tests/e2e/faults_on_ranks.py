"""A fault that only some of the ranks meet ends all of them within five seconds, with the exit code
of the fault and its sentence; a file that only rank 0 needs may be missing elsewhere."""

import os
import re
import shutil
import socket
import unittest

import numpy as np

from sae_program import PROGRAM, ProgramTest, damage, toy_samples, write_dataset

UNSUITABLE, MISSING = 65, 66
RANKS = 3
HOST = socket.gethostname()
TRAINING, CLASSES = 90, 3

# Starts the program; on the ranks named in the first argument with another current folder.
ELSEWHERE = f"""#!/bin/sh
ranks=$1
shift
case " $ranks " in *" $OMPI_COMM_WORLD_RANK "*) cd elsewhere || exit 1 ;; esac
exec '{PROGRAM}' "$@"
"""


class FaultsOnRanks(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(TRAINING), toy_samples(9), CLASSES)
        cls.script("start", ELSEWHERE)
        (cls.folder / "elsewhere").mkdir()

    def training(self, *arguments, run="run", data="data.h5", access="shared"):
        return [*arguments, "--run", run, "--data", data, "--data-access", access, "--units", 5,
                "--validation-size", 0]

    def assert_refused_by(self, ranks, code, texts, arguments):
        """One or several of `ranks`, which run elsewhere, say what is wrong."""
        before = self.files()
        output = self.run_program(ranks, *arguments, program="./start", ranks=RANKS, code=code,
                                  within=5)
        lines = [line for line in output.splitlines() if line.startswith("sae_dist")]
        self.assertTrue(lines, output)
        for line in lines:
            self.assertRegex(line, rf"^sae_dist \[rank [{ranks}], {re.escape(HOST)}\]: ")
            for text in texts:
                self.assertIn(text, line)
        self.assertEqual(sorted(self.files() ^ before), [])

    def put_elsewhere(self, change):
        shutil.copy(self.folder / "data.h5", self.folder / "elsewhere")
        self.addCleanup(os.remove, self.folder / "elsewhere" / "data.h5")
        change(self.folder / "elsewhere" / "data.h5")

    def test_a_file_that_rank_0_alone_sees(self):
        self.assert_refused_by("1 2", MISSING, ["data.h5", "No such file"], self.training())
        self.assert_refused_by("2", MISSING, ["data.h5", "No such file"], self.training())

    def test_a_file_that_rank_0_alone_misses(self):
        for access in ("shared", "scatter"):
            self.assert_refused_by("0", MISSING, ["data.h5", "No such file"],
                                   self.training(access=access))

    def test_one_rank_with_a_damaged_file(self):
        self.put_elsewhere(lambda path: path.write_bytes(path.read_bytes()[:3000]))
        self.assert_refused_by("1", UNSUITABLE, ["data.h5"], self.training())

    def test_one_rank_with_another_file(self):
        self.put_elsewhere(lambda path: write_dataset(path, toy_samples(TRAINING - 1),
                                                      toy_samples(9), CLASSES))
        self.assert_refused_by("2", UNSUITABLE, ["data.h5", str(TRAINING - 1), str(TRAINING)],
                               self.training())

    def test_a_fault_in_the_part_of_one_rank(self):
        images, labels = toy_samples(TRAINING)
        reals = (images / 255).astype(np.float32)
        reals[TRAINING - 1, 3] = np.nan
        write_dataset(self.folder / "nan.h5", (reals, labels), (reals[:9], labels[:9]), CLASSES)
        labels[TRAINING - 1] = CLASSES
        write_dataset(self.folder / "label.h5", (images, labels), toy_samples(9), CLASSES)
        shutil.copy(self.folder / "data.h5", self.folder / "flip.h5")
        damage(self.folder / "flip.h5", "train/images", TRAINING - 1)
        # Rank 0 reads all labels, to draw sets by them.
        faults = {"nan.h5": (2, ["/train/images", "sample 89", "feature 3"]),
                  "label.h5": (0, ["/train/labels", "sample 89", "3"]),
                  "flip.h5": (2, ["/train/images"])}
        for access in ("shared", "scatter"):
            self.assert_refused(*(
                (UNSUITABLE, [f"[rank {rank if access == 'shared' else 0}", name, *texts],
                 self.training(run=f"{name}-{access}", data=name, access=access))
                for name, (rank, texts) in faults.items()), ranks=RANKS, within=5)

    def test_files_that_rank_0_alone_needs(self):
        # All ranks but 0 are elsewhere, where there is nothing.
        (self.folder / "a.cfg").write_text("finetune-epochs=1\npretrain-epochs=1\n")
        self.run_program("1 2", *self.training("--config", "a.cfg", run="alone", access="scatter"),
                         program="./start", ranks=RANKS)
        self.assertTrue((self.folder / "alone" / "model.h5").exists())
        self.run_program("1 2", "evaluate", "alone/model.h5", "--data", "data.h5",
                         program="./start", ranks=RANKS)
        self.assertEqual(os.listdir(self.folder / "elsewhere"), [])


if __name__ == "__main__":
    unittest.main()

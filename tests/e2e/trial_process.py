"""Data sets are tried in a new process. No process that has started MPI is copied for it.
usage: ... PRELOADED_LIBRARY"""

import sys
import unittest

import h5py
from sae_program import PROGRAM, SOURCE_DIR, ProgramTest, toy_samples

PRELOADED = sys.argv.pop(1)
DAMAGED = SOURCE_DIR / "tests/fuzz/corpus/dataset/damaged_heap.h5"
UNSUITABLE = 65


class TrialProcess(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Chunks without check sums, which a trial reads.
        with h5py.File(cls.folder / "data.h5", "w") as file:
            file.attrs.update({"format": "sae-dataset", "version": 1, "name": "test", "classes": 3})
            for split, (images, labels) in (("train", toy_samples(100)), ("test", toy_samples(9))):
                file.create_dataset(f"{split}/images", data=images, chunks=(5, images.shape[1]))
                file.create_dataset(f"{split}/labels", data=labels.astype("u2"))
        # Not mpirun itself, which copies itself to start the ranks.
        cls.program = cls.script("start", f"#!/bin/sh\nLD_PRELOAD='{PRELOADED}' exec '{PROGRAM}' \"$@\"\n")

    def test_no_command_copies_its_process_after_the_start_of_mpi(self):
        for access in ("scatter", "shared"):
            self.run_program("--data", "data.h5", "--run", access, "--units", 5, "--validation-size", 0,
                             "--pretrain-epochs", 1, "--finetune-epochs", 1, "--data-access", access,
                             program=self.program, ranks=2)
        model = "shared/model.h5"
        for arguments in (["evaluate", model], ["predict", model, "--output", "out.h5"], ["doctor"]):
            with self.subTest(arguments[0]):
                self.run_program(*arguments, "--data", "data.h5", program=self.program, ranks=2)
        self.run_program("report", "shared", program=self.program, ranks=1)
        self.run_program("inspect", "data.h5", program=self.program, ranks=1)

    def test_a_file_on_which_the_library_crashes_is_refused(self):
        for ranks in (0, 2):
            self.assert_refused((UNSUITABLE, ["is damaged: the HDF5 library ended", "in a trial process"],
                                 ["--data", DAMAGED, "--run", "damaged", "--data-access", "shared"]),
                                program=self.program, **({"ranks": ranks} if ranks else {}))


if __name__ == "__main__":
    unittest.main()

"""doctor: a line for each check, 0 if all will work and 70 if something will not, and nothing left
behind."""

import re
import unittest

from sae_program import PROGRAM, ProgramTest, mnist_subset, physical_cores, toy_samples, write_dataset

UNFIT = 70
SUBJECTS = ["program", "matrix units", "cores", "memory", "shared memory", "messages", "run folder",
            "file locks", "data set"]
LINE = r"(ok|warning|problem) +(\S+(?: \S+)?)  +\S.*"

# Starts the program, as on a processor without bfloat16 on rank 1.
MIXED = f"""#!/bin/sh
if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then export SAE_NO_BFLOAT16=1; fi
exec '{PROGRAM}' "$@"
"""


class Doctor(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(50), toy_samples(9), classes=3)

    def findings(self, *arguments, **how):
        """{subject: lines} of all that the command prints, which are such lines only."""
        before = self.files()
        output = self.run_program("doctor", *arguments, **how)
        found = {}
        for line in output.splitlines():
            if "ranks" in how and not re.fullmatch(LINE, line):
                continue  # mpirun's own, where the program ends with 70.
            self.assertRegex(line, f"^{LINE}$")
            subject = re.fullmatch(LINE, line)[2]
            found.setdefault(subject, []).append(line)
        self.assertEqual(sorted(self.files() ^ before), [], "made, changed or removed")
        return found

    def test_all_subjects_are_looked_at(self):
        for ranks in (0, 1, 3):
            with self.subTest(ranks=ranks):
                found = self.findings("--data", "data.h5", ranks=ranks)
                self.assertEqual(sorted(found), sorted(SUBJECTS))
                self.assertIn("50 + 9 samples of 30 pixels", found["data set"][0])
                self.assertNotIn("problem", " ".join(sum(found.values(), [])))

    def test_tasks_of_slurm_that_do_not_know_of_each_other_are_reported(self):
        lonely = {"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"}
        found = self.findings("--data", "data.h5", environment=lonely, code=UNFIT)
        self.assertRegex(found["program"][0], "^problem.*Slurm started 4 tasks.*srun --mpi=pmix")
        output = self.train("lonely", "--data", "data.h5", "--validation-size", 0, "--units", 5,
                            "--pretrain-epochs", 1, "--finetune-epochs", 1, environment=lonely)
        self.assertRegex(output, "(?m)^warning: Slurm started 4 tasks.*srun --mpi=pmix")

    def test_more_ranks_than_cores_are_told(self):
        cores = physical_cores()
        found = self.findings("--data", "data.h5", "--threads", 1, ranks=cores + 1)
        self.assertRegex(found["cores"][0], f"^warning.* {cores + 1} ranks x 1 thread on {cores} "
                                            f"cores? .*start at most {cores} rank")

    def test_what_will_not_work_ends_with_70(self):
        (self.folder / "file").write_text("")
        for ranks in (0, 2):
            with self.subTest(ranks=ranks):
                found = self.findings("--data", "absent.h5", "--run", "file/run", ranks=ranks,
                                      code=UNFIT)
                self.assertRegex(found["data set"][0], "^problem.*absent.h5.*--data")
                self.assertRegex(found["run folder"][0], "^problem.*file.*--run")

    def test_a_damaged_data_set_is_a_problem(self):
        mnist_subset(self.folder / "cut.h5", train=10, test=5)
        whole = (self.folder / "cut.h5").read_bytes()
        (self.folder / "cut.h5").write_bytes(whole[:len(whole) // 2])
        found = self.findings("--data", "cut.h5", code=UNFIT)
        self.assertRegex(found["data set"][0], "^problem.*cut.h5")

    def test_a_run_folder_in_memory_is_told(self):
        found = self.findings("--data", "data.h5", "--run", "/dev/shm/not-made/run")
        self.assertRegex(found["run folder"][0], "^warning.*tmpfs.*disk")

    def test_ranks_that_differ_are_told(self):
        start = self.script("mixed.sh", MIXED)
        plain = self.findings("--data", "data.h5", ranks=2)["matrix units"][0]
        mixed = self.findings("--data", "data.h5", ranks=2, program=start)["matrix units"][0]
        if "takes bfloat16" in plain:
            self.assertRegex(mixed, "^warning.*float32 on all")
        else:
            self.assertEqual(mixed, plain)


if __name__ == "__main__":
    unittest.main()

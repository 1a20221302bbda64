"""Cores and memory that hardware threads and Slurm leave to the program, in the start table and doctor."""

import os
import unittest

from sae_program import ProgramTest, physical_cores, toy_samples, write_dataset

# What hwloc takes this machine for: all of its hardware threads, from 0 on, are those of one core.
ONE_CORE = {"HWLOC_SYNTHETIC": f"core:1 pu:{max(os.sched_getaffinity(0)) + 1}",
            "HWLOC_THISSYSTEM": "1"}


class Limits(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(50), toy_samples(9), classes=3)

    def start_table(self, run, environment):
        return self.train(run, "--data", "data.h5", "--validation-size", 0, "--units", 5,
                          "--pretrain-epochs", 1, "--finetune-epochs", 1, "--threads", "auto",
                          environment=environment)

    def test_hardware_threads_of_one_core_are_one(self):
        table = self.start_table("core", ONE_CORE)
        self.assertRegex(table, r"ranks +1 x 1 thread on 1 host")
        self.assertRegex(table, r": rank 0, core 0\n")
        self.assertRegex(self.run_program("doctor", "--data", "data.h5", environment=ONE_CORE),
                         r"cores +1 rank x auto threads on 1 core of ")

    def test_slurm_limits_memory(self):
        for name, environment in (("node", {"SLURM_MEM_PER_NODE": "200"}),
                                  ("cpu", {"SLURM_MEM_PER_CPU": "50", "SLURM_CPUS_ON_NODE": "4"})):
            with self.subTest(name):
                self.assertRegex(self.start_table(name, environment),
                                 r"memory +about \d+ MB per rank; 210 MB available on ")
                self.assertRegex(self.run_program("doctor", "--data", "data.h5",
                                                  environment=environment),
                                 "warning +memory +210 MB free on ")

    def test_slurm_limits_threads(self):
        table = self.start_table("cores", {"SLURM_CPUS_ON_NODE": "1"})
        self.assertRegex(table, r"ranks +1 x 1 thread on 1 host")
        if physical_cores() > 1:
            self.assertRegex(table, "rank 0, cores .*, the time of 1\n")


if __name__ == "__main__":
    unittest.main()

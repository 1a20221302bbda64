"""MNIST as a batch job on all nodes, by srun and by mpirun."""

import unittest

from sae_program import MNIST, printed_counts
from slurm_cluster import SlurmTest

LAUNCHERS = ("srun", "mpirun")
THREE = ["--nodes=3"]


class Mnist(SlurmTest):
    def test_mnist_by_srun_and_mpirun_on_three_nodes(self):
        for launcher in LAUNCHERS:
            run = f"mnist-{launcher}"
            job = self.submit("train.sbatch", "--recipe", "quick", "--data", MNIST, "--run", run,
                              options=THREE, SAE_LAUNCHER=launcher)
            self.wait(job)
            log = self.log(job)
            for node in range(3):
                self.assertIn(f"node{node + 1}: rank {node},", log)
            errors, samples = printed_counts(log)[-1]
            self.assertEqual(samples, 10000)
            self.assertLess(errors, 250, log)
        self.assert_same_run("mnist-srun", "mnist-mpirun")
        job = self.submit("evaluate.sbatch", "mnist-srun/best.h5", "--data", MNIST, options=THREE)
        self.wait(job)
        self.assertEqual(printed_counts(self.log(job)), [(errors, samples)])


if __name__ == "__main__":
    unittest.main()

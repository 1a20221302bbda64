"""Batch jobs that end with a model: on all nodes, by srun and by mpirun, and whatever happens to them
in between."""

import concurrent.futures
import time
import unittest

from sae_program import mnist_subset, printed_counts
from slurm_cluster import SCRIPTS, SlurmTest, wait_until

LAUNCHERS = ("srun", "mpirun")
THREE = ["--nodes=3"]
# Seconds of work, the checkpoints of which come in time.
SMALL = ["--recipe", "quick", "--data", "small.h5", "--validation-size", "1000", "--precision",
         "float32", "--pretrain-epochs", "3", "--finetune-epochs", "6", "--checkpoint-every", "1e"]


class Training(SlurmTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mnist_subset(cls.folder / "small.h5", 8000, 1000)

    def small(self, name, *more, launcher="srun", options=THREE):
        return self.submit("train.sbatch", *SMALL, "--run", name, *more, options=options,
                           SAE_LAUNCHER=launcher)

    def test_scripts_suit_slurm(self):
        for script in sorted(SCRIPTS.glob("*.sbatch")):
            with self.subTest(script.name):
                self.cluster("exec", "sbatch", "--test-only", "--nodes=3", script)

    def test_stopped_and_resumed_runs_end_with_the_bits_of_one_left_alone(self):
        whole = self.small("whole")
        # The limit takes its time to make itself felt; the others use it.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            cases = [pool.submit(self.stop_at_the_limit),
                     *(pool.submit(self.stop_by_signal, launcher) for launcher in LAUNCHERS)]
            self.wait(whole)
            self.evaluate("whole")
            for case in cases:
                case.result()
        self.stop_by_preemption()
        for run in ("limit", *(f"signal-{launcher}" for launcher in LAUNCHERS), "preempted"):
            self.assert_same_run(run, "whole")

    def evaluate(self, run):
        """On all nodes, as at the end of training."""
        job = self.submit("evaluate.sbatch", f"{run}/best.h5", "--data", "small.h5", options=THREE)
        self.wait(job)
        expected = printed_counts((self.folder / run / "log.txt").read_text())
        self.assertEqual(printed_counts(self.log(job)), expected[-1:])
        self.assertEqual(expected[-1][1], 1000)

    def stop_by_signal(self, launcher):
        run = f"signal-{launcher}"
        job = self.small(run, launcher=launcher)
        self.ask_to_stop(job, run, 3)
        self.finish(job, run)

    def stop_at_the_limit(self):
        # Slurm looks every 30 s and gives the signal when the next look could be too late: here from
        # 20 to 50 s after the start.
        job = self.small("limit", options=[*THREE, "--time=1", "--signal=B:USR1@10"])
        with self.held_up("limit", 3):
            wait_until(lambda: "asked to stop" in self.log(job), 150, "signal before the limit")
        self.hurry(job)
        # Whatever else the machine does now, one limit is enough.
        self.cluster("exec", "scontrol", "update", f"JobId={job}", "TimeLimit=10")
        self.finish(job, "limit")

    def stop_by_preemption(self):
        job = self.small("preempted")
        self.wait_until_trained("preempted", 2)
        urgent = self.cluster("exec", "sbatch", "--parsable", "--partition=urgent", "--nodes=3",
                              "--exclusive", "--output=urgent.log", "--wrap", "true").strip()
        self.wait(urgent)
        self.finish(job, "preempted")

    def finish(self, job, run):
        self.hurry(job)
        self.wait(job, restarts=1)
        log = self.log(job)
        for part in ("asked to stop: the ranks save and end", "ended with exit code 75: requeued",
                     "restart 1: ", f"resumed from {run}/checkpoints/step-"):
            self.assertEqual(log.count(part), 1, log)

    def test_lost_node(self):
        """Two jobs lose one node; they go on without it, one of them with fewer ranks."""
        # Two thirds, so that the others can take both.
        jobs = {"fewer": self.small("fewer", options=["--nodes=2-3"]),
                "as-many": self.small("as-many", launcher="mpirun", options=["--nodes=2"])}
        for run in jobs:
            self.wait_until_trained(run, 2)
        self.assertEqual(self.state(jobs["fewer"])["NodeList"], "node[1-3]")
        self.assertEqual(self.state(jobs["as-many"])["NodeList"], "node[1-2]")
        self.cluster("crash", 2)
        start = time.monotonic()
        unharmed = self.small("unharmed", options=["--nodes=1"])
        with concurrent.futures.ThreadPoolExecutor() as pool:
            seconds = dict(zip(jobs, pool.map(lambda run: self.resumed_after(start, jobs[run], run),
                                              jobs)))
        print("crash to training again, without Slurm's two minutes:", seconds)
        self.wait(unharmed)
        for run, job in jobs.items():
            self.wait(job, restarts=1)
            self.assertLess(seconds[run], 30)
            found = [(line["stage"], line["epoch"], line["step"]) for line in self.metrics(run)]
            self.assertEqual(found, [(line["stage"], line["epoch"], line["step"])
                                     for line in self.metrics("unharmed")])
            for line, expected in zip(self.metrics(run), self.metrics("unharmed")):
                self.assertLess(abs(line["loss"] - expected["loss"]), 1e-4 * expected["loss"], run)
            self.assertEqual(self.state(job)["NodeList"], "node[1,3]")
        self.cluster("boot", 2)

    def resumed_after(self, start, job, run):
        self.hurry(job)
        wait_until(lambda: f"resumed from {run}/" in self.log(job), 60, f"{run} trains again")
        return time.monotonic() - start


if __name__ == "__main__":
    unittest.main()

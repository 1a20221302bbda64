"""launch.sh over hosts without a batch system: one is cut off, one falls silent, one host alone has
the data set. Needs root. usage: ... LIBRARY_THAT_STOPS"""

import subprocess
import sys
import time
import unittest

from netns_hosts import LAUNCH, Hosts
from sae_program import PROGRAM, ProgramTest, arrays_of, metrics_of, toy_samples, write_dataset

STOP_AT = sys.argv.pop(1)
SETTINGS = ["--data", "data/toy.h5", "--validation-size", 100, "--units", "40,20", "--precision",
            "float32", "--pretrain-epochs", 10, "--finetune-epochs", 10]
WEIGHTS = 1e-3  # As between numbers of ranks on one machine.
TEMPORARY = "checkpoints/.step-0000000030.h5.sae-"  # And a random number.
GOES_ON = 20  # Seconds from a cut to training on the rest.


class PlainHosts(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hosts = cls.enterClassContext(Hosts(3))
        (cls.folder / "data").mkdir()
        # 21 steps an epoch, 630 in all, the last of an epoch short.
        write_dataset(cls.folder / "data" / "toy.h5", toy_samples(2150), toy_samples(100),
                      classes=3)
        cls.train("reference", *SETTINGS)

    def launch(self, run, *options, host=1, hostfile=None, launcher=(), program=PROGRAM):
        """Starts it; what it prints is in <run>.txt."""
        with open(self.folder / f"{run}.txt", "w") as output:
            return self.hosts.start(host, LAUNCH, "--hostfile", hostfile or self.hosts.hostfile,
                                    *launcher, *SETTINGS, "--run", run, *options, cwd=self.folder,
                                    env={"SAE_DIST": str(program)}, stdout=output,
                                    stderr=subprocess.STDOUT)

    def output(self, run):
        return (self.folder / f"{run}.txt").read_text()

    def assert_ends(self, job, run, code, within=60):
        try:
            self.assertEqual(job.wait(within), code, self.output(run))
        finally:
            job.kill()

    def assert_is_reference(self, run):
        expected = arrays_of(self.folder / "reference" / "model.h5")
        found = arrays_of(self.folder / run / "model.h5")
        self.assertEqual(found.keys(), expected.keys())
        for name, values in expected.items():
            self.assert_close(found[name], values, WEIGHTS, name)
        self.assertEqual([(line["stage"], line["epoch"]) for line in metrics_of(self.folder / run)],
                         [(line["stage"], line["epoch"])
                          for line in metrics_of(self.folder / "reference")])

    def steps(self, run):
        """Of the checkpoints."""
        return [int(path.stem[5:]) for path in (self.folder / run).glob("checkpoints/step-*.h5")]

    def wait_for_step(self, run, step, limit=30):
        """Until there is a checkpoint of at least that step."""
        deadline = time.monotonic() + limit
        while max(self.steps(run), default=0) < step:
            self.assertLess(time.monotonic(), deadline, f"no step {step}: {self.output(run)}")
            time.sleep(0.02)

    def wait_for_no_ranks(self, host, limit=15):
        deadline = time.monotonic() + limit
        while self.hosts.ranks(host):
            self.assertLess(time.monotonic(), deadline, f"ranks live on host{host}")
            time.sleep(0.2)

    def stopping(self, run, call):
        """The program, in which a rank 0 on host2 stops before it calls `open` or `rename` for the
        temporary file of a checkpoint of this run, and again once that file has got its name or is
        removed."""
        return self.script(f"stopping-{run}", f"""#!/bin/sh
            if [ "$(hostname)" = host2 ]; then
              export LD_PRELOAD={STOP_AT} STOP_BEFORE={call} STOP_IN={run}/{TEMPORARY}
            fi
            exec {PROGRAM} "$@"
            """)

    def wait_for_stopped(self, host, ranks, limit=60):
        """Until so many of the ranks there stand still; returns their process ids."""
        deadline = time.monotonic() + limit
        while len(stopped := self.hosts.shell(host, """
                for rank in $(pidof sae_dist); do
                  ! grep -qs '^State:.T' /proc/$rank/status || echo $rank
                done""").split()) < ranks:
            self.assertLess(time.monotonic(), deadline,
                            f"only {stopped} of {self.hosts.ranks(host)} stand still")
            time.sleep(0.1)
        return stopped

    def content(self, run):
        return {path: path.read_bytes() for path in (self.folder / run).rglob("*")
                if path.is_file()}

    def assert_content(self, written):
        """Of each run."""
        for run, files in written.items():
            found = self.content(run)
            changed = [path.name for path in found.keys() | files.keys()
                       if found.get(path) != files.get(path)]
            self.assertEqual(changed, [], run)

    def test_a_host_that_is_cut_off_is_left_out(self):
        job = self.launch("cut", "--checkpoint-every", 5, "--keep-checkpoints", 3)
        self.wait_for_step("cut", 25)  # Epochs have 21 steps.
        self.hosts.act("cut", 3, "silent")
        cut = time.monotonic()
        time.sleep(0.5)  # What was under way is done.
        self.wait_for_step("cut", max(self.steps("cut")) + 1)
        self.assertLess(time.monotonic() - cut, GOES_ON, self.output("cut"))
        self.wait_for_no_ranks(3)  # Before they could know.
        self.hosts.act("heal", 3)
        self.assert_ends(job, "cut", 0)
        self.assert_is_reference("cut")
        output = self.output("cut")
        self.assertIn("left out: host3 does not answer", output)
        self.assertIn("attempt 2: host1 host2 \n", output)
        self.assertNotIn("attempt 3", output)

    def test_ranks_of_a_past_attempt_cannot_write(self):
        """Wherever they are: what they have not begun the generation forbids, and what they have is
        removed before others train on."""
        # Rank 0 is on host2, since the host of launch.sh takes no part.
        hostfile = self.folder / "others"
        hostfile.write_text("host2 slots=2\nhost3 slots=2\n")
        runs = {f"past-{call}": call for call in ("open", "rename")}
        jobs = {run: self.launch(run, "--checkpoint-every", 5, "--keep-checkpoints", 3,
                                 hostfile=hostfile, program=self.stopping(run, call))
                for run, call in runs.items()}
        writing = self.wait_for_stopped(2, len(runs))
        self.hosts.shell(2, "kill -STOP $(pidof sae_dist orted)")
        self.hosts.act("cut", 2, "silent")
        for run, job in jobs.items():
            self.assert_ends(job, run, 0, within=90)
            self.assert_is_reference(run)
        written = {run: self.content(run) for run in runs}
        # Still cut off, so that nothing else ends them first.
        self.hosts.shell(2, f"kill -CONT {' '.join(writing)}")
        self.assertEqual(sorted(self.wait_for_stopped(2, 2 * len(runs))),
                         sorted(self.hosts.ranks(2)))
        self.assert_content(written)
        self.hosts.act("heal", 2)
        self.hosts.shell(2, "kill -CONT $(pidof sae_dist)")
        self.hosts.shell(2, "kill -CONT $(pidof orted)")
        self.wait_for_no_ranks(2)
        self.assert_content(written)

    def test_a_host_that_falls_silent_does_not_hold_mpirun(self):
        # Its kernel answers, so that mpirun notices nothing.
        job = self.launch("silent", "--checkpoint-every", 5, "--stall-timeout", "4s")
        self.wait_for_step("silent", 25)
        self.hosts.shell(2, "kill -STOP $(pidof sae_dist orted) $(cat /run/sshd.pid)")
        self.assert_ends(job, "silent", 0, within=60)
        self.hosts.shell(2, "kill -CONT $(pidof sae_dist orted) $(cat /run/sshd.pid)")
        self.assert_is_reference("silent")
        self.assertIn("mpirun waits: ending it", self.output("silent"))
        self.assertIn("left out: host2 does not answer", self.output("silent"))
        self.wait_for_no_ranks(2)

    def test_the_host_of_rank_0_alone_has_the_data(self):
        for host in (2, 3):
            self.hosts.hide(self.folder / "data", host)
        self.addCleanup(lambda: [self.hosts.act("on", host, "umount", self.folder / "data")
                                 for host in (2, 3)])
        self.assert_ends(self.launch("scatter", "--data-access", "scatter"), "scatter", 0)
        self.assert_is_reference("scatter")
        # With the other way to read it the mistake is not one that passes.
        self.assert_ends(self.launch("shared", "--data-access", "shared"), "shared", 66)
        self.assertIn("attempt 1", self.output("shared"))
        self.assertNotIn("attempt 2", self.output("shared"))


if __name__ == "__main__":
    unittest.main()

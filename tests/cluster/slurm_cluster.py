"""Runs batch scripts on a Slurm cluster of several nodes on this machine (cluster/slurm-cluster)."""

import concurrent.futures
import contextlib
import json
import os
import re
import signal
import subprocess
import time

from sae_program import SOURCE_DIR, Mark, ProgramTest

SCRIPTS = SOURCE_DIR / "slurm"


def wait_until(condition, limit, what):
    """The first answer of `condition` that is true. Throws: AssertionError after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {limit:g} s: {what}"
        time.sleep(0.1)
    return answer


class SlurmTest(ProgramTest):
    """Its cases share a folder and a cluster of NODES nodes with 4 processors each."""

    NODES = 3

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert os.geteuid() == 0, "The tests of clusters need root."
        cls.mark = Mark()
        cls.addClassCleanup(cls.cluster, "down")
        cls.cluster("up", cls.NODES)

    def tearDown(self):
        self.cluster("exec", "scancel", "--user=root")  # What a failed case left.

    @classmethod
    def cluster(cls, *words, within=180, **environment):
        """What slurm-cluster printed. Throws: AssertionError if it fails."""
        command = [SOURCE_DIR / "cluster" / "slurm-cluster", "-d", cls.folder / "cluster",
                   *map(str, words)]
        own = cls.mark.environment(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                                   **environment)
        with open(cls.folder / "cluster.txt", "a") as errors:
            found = subprocess.run(command, cwd=cls.folder, env=own, stdout=subprocess.PIPE,
                                   stderr=errors, stdin=subprocess.DEVNULL, timeout=within,
                                   text=True, check=False)
        told = (cls.folder / "cluster.txt").read_text()[-2000:]
        assert found.returncode == 0, f"slurm-cluster {words}: {found.stdout}\n{told}"
        return found.stdout

    def submit(self, script, *arguments, options=(), **environment):
        """Job id."""
        return self.cluster("exec", "sbatch", "--parsable", *options, SCRIPTS / script, *arguments,
                            **environment).strip()

    def state(self, job):
        """Such as {"JobState": "RUNNING", "Restarts": "0", "NodeList": "node[1-2]"}."""
        return dict(re.findall(r"(\w+)=(\S*)", self.cluster("exec", "scontrol", "-o", "show", "job",
                                                            job)))

    def wait(self, job, within=240, state="COMPLETED", code=0, restarts=0):
        """Until the job has ended as told here."""
        self.cluster("wait", job, within, within=within + 30)
        found = self.state(job)
        self.assertEqual((found["JobState"], found["ExitCode"], found["Restarts"]),
                         (state, f"{code}:0", str(restarts)), self.log(job))

    def hurry(self, job, within=120, restarts=1):
        """Until the job runs again after it was requeued."""
        self.cluster("hurry", job, within, restarts, within=within + 30)

    @staticmethod
    def at_once(action, jobs):
        """Does it for all of them, and returns the results. Throws: what the first threw."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return list(pool.map(action, jobs))

    def log(self, job):
        """What the job has written; of a task of an array such as 17_2 too."""
        name = f"*[a-z]-{job.replace('_', '-')}.log"
        return "".join(file.read_text(errors="replace") for file in self.folder.glob(name))

    def wait_until_trained(self, run, epochs, within=120):
        """Until so many of its epochs are over."""
        metrics = self.folder / run / "metrics.jsonl"
        wait_until(lambda: metrics.exists() and len(metrics.read_text().splitlines()) >= epochs,
                   within, f"epoch {epochs} of {run}")

    @contextlib.contextmanager
    def held_up(self, run, ranks):
        """The ranks of a run that is in its midst stand still, so that what happens meanwhile finds
        them there on any machine."""
        self.wait_until_trained(run, 1)
        processes = self.ranks_of(run)
        self.assertEqual(len(processes), ranks, run)
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def ask_to_stop(self, job, run, ranks):
        """By the signal that announces the end of the time limit."""
        with self.held_up(run, ranks):
            self.cluster("exec", "scancel", "-b", "-s", "USR1", job)

    def metrics(self, run):
        """The lines of metrics.jsonl without what depends on time."""
        lines = [json.loads(line) for line in
                 (self.folder / run / "metrics.jsonl").read_text().splitlines()]
        return [{name: value for name, value in line.items()
                 if name not in ("seconds", "samples_per_second", "communication_share")}
                for line in lines]

    def assert_same_run(self, run, other):
        """Model and metrics to the bit."""
        self.assertEqual(self.metrics(run), self.metrics(other), run)
        models = [(self.folder / name / "model.h5").read_bytes() for name in (run, other)]
        self.assertEqual(*models, run)

    def ranks_of(self, run):
        """Processes of the ranks that train in a folder."""
        return [process for process in self.mark.processes()
                if self.is_rank(process, f"--run\0{run}\0".encode())]

    @staticmethod
    def is_rank(process, words):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                command = file.read()
        except OSError:
            return False
        name = os.environ["SAE_DIST"].encode()
        return command.startswith(name + b"\0") and words in command

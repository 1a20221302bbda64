"""What batch jobs are requeued for and what not, arrays, and the scaling script.
usage: ... LIBRARY_THAT_IS_LATE"""

import shutil
import sys
import unittest
import xml.etree.ElementTree

from sae_program import arrays_of, toy_samples, write_dataset
from slurm_cluster import SCRIPTS, SlurmTest, wait_until

LATE_FENCE = sys.argv.pop(1)
LAUNCHERS = ("srun", "mpirun")
SETTINGS = ["--data", "data.h5", "--validation-size", "100", "--units", "60,40", "--finetune-epochs", "3",
            "--quiet"]


class Jobs(SlurmTest):
    NODES = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(1500), toy_samples(50), classes=3)
        (cls.folder / "damaged.h5").write_text("damaged")

    def test_what_cannot_pass_is_not_requeued(self):
        cases = {"option": (64, ["--batch-sizes", "10"]),
                 "resume": (64, ["--resume", "never"]),
                 "damaged": (65, ["--data", "damaged.h5"]),
                 "missing": (66, ["--data", "missing.h5"]),
                 "folder": (73, [*SETTINGS, "--run", "data.h5/run"]),
                 "diverging": (76, [*SETTINGS, "--finetune-learning-rate", "1e38",
                                    "--pretrain-epochs", "1"])}
        jobs = {(name, launcher): self.submit("train.sbatch", *arguments, options=["--nodes=2"],
                                              SAE_LAUNCHER=launcher)
                for name, (_, arguments) in cases.items() for launcher in LAUNCHERS}
        for (name, launcher), job in jobs.items():
            with self.subTest(name, launcher=launcher):
                self.wait(job, state="FAILED", code=cases[name][0])

    def test_what_may_pass_is_requeued_so_many_times(self):
        # One task ends a second later than the other, with the same code.
        fails = self.script("fails", '#!/bin/sh\nsleep "$SLURM_PROCID"\nexit 70\n')
        job = self.submit("train.sbatch", options=["--nodes=2"], SAE_DIST=str(fails), MAX_RESTARTS="1")
        self.hurry(job)
        self.wait(job, state="FAILED", code=70, restarts=1)
        self.assertIn("not requeued after 1 restarts", self.log(job))

    def test_a_killed_rank_is_made_up_for(self):
        runs = [f"killed-{launcher}" for launcher in LAUNCHERS]
        jobs = [self.submit("train.sbatch", *SETTINGS, "--pretrain-epochs", "1000000",
                            "--checkpoint-every", "1e", "--run", run, options=["--nodes=2"],
                            SAE_LAUNCHER=launcher) for run, launcher in zip(runs, LAUNCHERS)]
        for run in runs:
            self.wait_until_trained(run, 1)
            self.cluster("on", 2, "pkill", "-KILL", "-f", "--", f"--run {run}")
        self.at_once(self.hurry, jobs)
        for run, job in zip(runs, jobs):
            with self.subTest(run):
                log = self.folder / run / "log.txt"
                wait_until(lambda: "resumed from" in log.read_text(), 120, f"{run} goes on")
                self.assertRegex(self.log(job), r"ended with exit code 1\d\d: requeued")
                self.cluster("exec", "scancel", job)
                self.cluster("wait", job, 60)

    def test_a_cancelled_job_stays_so_with_a_checkpoint(self):
        job = self.submit("train.sbatch", *SETTINGS, "--pretrain-epochs", "1000000", "--run", "stay",
                          options=["--nodes=2"])
        self.wait_until_trained("stay", 1)
        self.cluster("exec", "scancel", job)
        self.cluster("wait", job, 60)
        self.assertEqual(self.state(job)["JobState"], "CANCELLED", self.log(job))
        self.assertNotIn("requeued", self.log(job))
        self.assertTrue(list((self.folder / "stay" / "checkpoints").glob("step-*.h5")))

    def test_tasks_of_an_array_are_requeued_for_themselves(self):
        array = self.submit("array.sbatch", *SETTINGS, "--pretrain-epochs", "50", "--run", "seeds",
                            options=["--nodes=2", "--array=1-4"])
        # The last has the job id of the whole array.
        stopped, untouched = (2, 4), (1, 3)
        for task in stopped:
            self.ask_to_stop(f"{array}_{task}", f"seeds/seed-{task}", 2)
        self.at_once(self.hurry, [f"{array}_{task}" for task in stopped])
        for task in (*stopped, *untouched):
            with self.subTest(task=task):
                self.wait(f"{array}_{task}", restarts=int(task in stopped))
                self.assertIn(f"seed={task}\n",
                              (self.folder / f"seeds/seed-{task}/config.cfg").read_text())
                log = self.log(f"{array}_{task}")
                self.assertEqual(log.count("requeued"), int(task in stopped), log)

    def test_an_array_varies_any_option(self):
        array = self.submit("array.sbatch", *SETTINGS[:-1], "--pretrain-epochs", "1",
                            "--run=rates", options=["--array=0-1"],
                            VARY="momentum", VALUES="0.1 0.5")
        for task, value in enumerate(("0.1", "0.5")):
            self.wait(f"{array}_{task}")
            self.assertIn(f"\nmomentum={value}\n",
                          (self.folder / f"rates/momentum-{value}/config.cfg").read_text())

    def test_an_array_takes_lines_of_options_and_its_runs_are_compared(self):
        (self.folder / "sweep.txt").write_text("# rates\n\n--momentum 0.1\n--momentum 0.5 --seed 2  # other\n")
        array = self.submit("array.sbatch", "sweep.txt", *SETTINGS[:-1], "--pretrain-epochs", "1",
                            options=["--array=1-2"])
        for task, lines in enumerate((("momentum=0.1", "seed=1"), ("momentum=0.5", "seed=2")), 1):
            self.wait(f"{array}_{task}")
            configuration = (self.folder / f"runs/sweep-{task}/config.cfg").read_text()
            self.assertLessEqual(set(lines), set(configuration.splitlines()))
        self.run_program("report", "runs/sweep-1", "runs/sweep-2")
        self.assertIn("momentum", (self.folder / "comparison.html").read_text())

    def test_ranks_and_threads_train_the_same_model_wherever_they_are(self):
        settings = [*SETTINGS[:-1], "--pretrain-epochs", "1", "--precision", "float32"]
        self.train("alone", *settings)
        expected = arrays_of(self.folder / "alone/model.h5")
        # With the averaging that is faster there.
        cases = {"uneven": (["--ntasks=3"], "3 x 1 thread", ("ranks 0-1", "rank 2"), "node"),
                 "threads": (["--ntasks-per-node=1", "--cpus-per-task=2"], "2 x 2 threads",
                             ("rank 0", "rank 1"), "flat")}
        jobs = {(name, launcher): self.submit("train.sbatch", *settings, "--run",
                                              f"{name}-{launcher}",
                                              options=["--nodes=2", *options],
                                              SAE_LAUNCHER=launcher)
                for name, (options, *_) in cases.items() for launcher in LAUNCHERS}
        for (name, launcher), job in jobs.items():
            with self.subTest(name, launcher=launcher):
                self.wait(job)
                _, ranks, (first, second), averaging = cases[name]
                self.assertRegex(self.log(job), rf"{ranks} on 2 hosts\n"
                                                rf" +node1: {first}, .*\n"
                                                rf" +node2: {second}, .*\n")
                self.assertRegex(self.log(job), rf"averaging +{averaging}, ")
                for array, values in arrays_of(self.folder / f"{name}-{launcher}/model.h5").items():
                    self.assert_close(values, expected[array], 1e-3, array)

    def test_no_rank_leaves_the_start_before_all_are_there(self):
        job = self.submit("train.sbatch", *SETTINGS, "--pretrain-epochs", "1", "--run", "late",
                          options=["--nodes=2"], SAE_LAUNCHER="srun", LD_PRELOAD=LATE_FENCE)
        self.wait(job)

    def test_program_and_launcher_are_found(self):
        scripts = shutil.copytree(SCRIPTS, self.folder / "tree" / "slurm")
        path = "/usr/sbin:/usr/bin:/sbin:/bin"
        self.script("tree/build/release/src/sae_dist", "#!/bin/sh\nexit 64\n")
        job = self.submit(scripts / "train.sbatch", "--quiet", SAE_DIST="", PATH=path)
        self.wait(job, state="FAILED", code=64)
        self.assertRegex(self.log(job), rf"{scripts}/../build/release/src/sae_dist by srun on ")
        installed = self.script("bin/sae_dist", "#!/bin/sh\nexit 64\n")
        self.script("bin/srun", """#!/bin/sh
            [ "$1" != --mpi=list ] || exec echo "MPI plugin types are: none pmi2"
            exec /usr/bin/srun "$@"
            """)
        job = self.submit(scripts / "train.sbatch", "--quiet", SAE_DIST="",
                          PATH=f"{installed.parent}:{path}")
        self.wait(job, state="FAILED", code=64)
        self.assertIn(f" {installed} by mpirun on ", self.log(job))

    def test_a_site_says_what_holds_there(self):
        scripts = shutil.copytree(SCRIPTS, self.folder / "site")
        program = self.script("of-the-site", """#!/bin/sh
            echo "data: $SAE_DATA, options: $*"
            exit 70
            """)
        (scripts / "site.conf").write_text(f"""
            export SAE_DATA=/of/the/site.h5 SAE_DIST={program}
            export SBATCH_PARTITION=urgent
            SAE_LAUNCHER=mpirun
            SAE_MPIRUN_OPTIONS='--bind-to none -np 1'
            MAX_RESTARTS=0""")
        job = self.submit(scripts / "train.sbatch", "--run", "sited", options=["--nodes=2"],
                          SAE_LAUNCHER="srun")
        self.wait(job, state="FAILED", code=70)
        log = self.log(job)
        self.assertIn(f"{program} by mpirun on node[1-2], restart 0: --run sited\n", log)
        self.assertEqual(log.count("data: /of/the/site.h5, options: --run sited --resume auto\n"), 1,
                         log)
        self.assertIn("not requeued after 0 restarts", log)
        # What sbatch itself has to know is read before it.
        planned = self.cluster("exec", "bash", "-c",
                               f". {scripts}/site.conf && sbatch --test-only {scripts}/train.sbatch 2>&1")
        self.assertIn("in partition urgent", planned)

    def test_scaling_gives_a_table_and_a_plot(self):
        for launcher, tasks in (("srun", 3), ("mpirun", 2)):
            with self.subTest(launcher):
                folder = self.folder / f"scaling-{launcher}"
                job = self.submit("scaling.sbatch", *SETTINGS[:6], "--run", folder,
                                  options=["--nodes=2", f"--ntasks={tasks}"], SAE_LAUNCHER=launcher,
                                  PATH=f"{sys.prefix}/bin:/usr/sbin:/usr/bin:/sbin:/bin")
                self.wait(job)
                rows = [line.split()[:2] for line in (folder / "scaling.txt").read_text().splitlines()]
                self.assertEqual(rows[1:], [[kind, str(ranks + 1)] for kind in ("strong", "weak")
                                            for ranks in range(tasks)])
                for kind, batch in (("strong", 100), ("weak", 100 * tasks)):
                    self.assertIn(f"\nbatch-size={batch}\n",
                                  (folder / f"{kind}-{tasks}/config.cfg").read_text())
                xml.etree.ElementTree.parse(folder / "scaling.svg")

    def test_all_scripts_name_what_is_missing(self):
        for script in sorted(SCRIPTS.glob("*.sbatch")):
            with self.subTest(script.name):
                job = self.submit(script.name, options=["--array=1"], SAE_DIST="none/sae_dist")
                self.wait(f"{job}_1", state="FAILED", code=64)
                self.assertIn("There is no program none/sae_dist", self.log(job) or
                              self.log(f"{job}_1"))


if __name__ == "__main__":
    unittest.main()

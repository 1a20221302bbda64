"""What users see and find: data sets that are searched, help, the table before, the lines during
and the files after a run, and a configuration that repeats it."""

import os
import re
import shutil
import unittest

import h5py

from sae_program import (COLUMNS, PROGRAM, ProgramTest, command_line, metrics_of, on_a_terminal,
                         printed_counts, printed_losses, toy_samples, write_dataset)

TRAINING, VALIDATION, TEST = 80, 20, 15
EPOCHS = {"pretrain1": 2, "pretrain2": 2, "finetune": 3}
NETWORK = ["--units", "20,10", "--corruption", "0.1,0.2", "--pretrain-epochs", 2,
           "--finetune-epochs", 3, "--validation-size", VALIDATION, "--batch-size", 9,
           "--momentum", 0.7, "--weight-decay", 1e-4, "--warmup-epochs", 0.5, "--seed", 11,
           "--pretrain-learning-rate", "0.1,0.05", "--finetune-schedule", "cosine",
           "--corruption-at", "image",
           "--precision", "float32"]
SETTINGS = ["--data", "data.h5", *NETWORK]


# Starts the program, as on a processor without bfloat16 on rank 1.
MIXED = f"""#!/bin/sh
if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then export SAE_NO_BFLOAT16=1; fi
exec '{PROGRAM}' "$@"
"""


class Usage(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(VALIDATION + TRAINING),
                      toy_samples(TEST, seed=1), classes=3, name="toys")
        cls.output = cls.train("run", *SETTINGS, ranks=3)
        cls.run_folder = cls.folder / "run"

    def test_only_one_rank_prints(self):
        expected = [(stage, i + 1) for stage, epochs in EPOCHS.items() for i in range(epochs)]
        self.assertEqual([line[:2] for line in printed_losses(self.output)], expected)
        self.assertEqual(self.output.count("run folder"), 1)
        self.assertEqual(self.output.count("confusion matrix"), 1)

    def test_a_copy_of_the_program_alone_has_its_recipes(self):
        folder = self.folder / "alone"
        (folder / "data" / "recipes").mkdir(parents=True)
        shutil.copy(PROGRAM, folder / "sae_dist")
        (folder / "data" / "recipes" / "blog.cfg").write_text("units=7\n")
        for recipe, units in (("quick", "units=500,500"), ("blog", "units=7")):
            self.run_program("--recipe", recipe, "--data", self.folder / "data.h5", "--run", recipe,
                             "--validation-size", VALIDATION, "--stop-after-steps", 1, code=75,
                             program=folder / "sae_dist", folder=folder)
            self.assertIn(units + "\n", (folder / recipe / "config.cfg").read_text())

    def test_the_table_before_names_all_settings(self):
        table = self.output[:self.output.index("epoch   1/")]
        for text in ("data.h5", "toys", "80 train", "20 validation", "15 test", "30-20-10-3",
                     "3 x 1 thread", "9 samples, 3 per rank", "float32", "MB per rank", "FLOP", "Eigen",
                     *EPOCHS):
            self.assertIn(text, table)
        for line in (self.run_folder / "config.cfg").read_text().splitlines():
            self.assertIn(f" {line}\n", table)

    def test_files_of_a_run(self):
        self.assertEqual(sorted(os.listdir(self.run_folder)),
                         ["best.h5", "checkpoints", "config.cfg", "events", "filters-hidden1.png",
                          "filters-hidden2.png", "generation", "journal.jsonl", "log.txt",
                          "metrics.jsonl", "model.h5", "pretrained.h5", "reconstructions.png",
                          "report.html"])
        lines = metrics_of(self.run_folder)
        self.assertEqual([(line["stage"], line["epoch"]) for line in lines],
                         [line[:2] for line in printed_losses(self.output)])
        log = (self.run_folder / "log.txt").read_text()
        self.assertEqual(len(re.findall(r" epoch +\d+/\d+ ", log)), len(lines))
        self.assertIn("confusion matrix", log)
        for stage in EPOCHS:
            losses = [line["loss"] for line in lines if line["stage"] == stage]
            self.assertLess(losses[-1], losses[0], stage)

    def test_best_is_the_model_with_the_lowest_validation_error(self):
        lines = [line for line in metrics_of(self.run_folder) if line["stage"] == "finetune"]
        lowest = min(line["validation_error"] for line in lines)
        best = max(line["epoch"] for line in lines if line["best"])
        self.assertEqual([line["validation_error"] for line in lines if line["epoch"] == best],
                         [lowest])
        with h5py.File(self.run_folder / "best.h5") as file:
            self.assertEqual((file.attrs["stage"], file.attrs["epoch"]), ("finetune", best))
        output = self.run_program("evaluate", "run/best.h5", "--data", "data.h5", "--split",
                                  "validation", "--validation-size", VALIDATION)
        self.assertEqual(printed_counts(output), [(round(lowest * VALIDATION / 100), VALIDATION)])

    def test_a_configuration_repeats_its_run(self):
        self.train("again", "--config", "run/config.cfg", ranks=3)
        for name in ("model.h5", "best.h5", "config.cfg"):
            self.assertEqual((self.run_folder / name).read_bytes(),
                             (self.folder / "again" / name).read_bytes(), name)

    def test_the_command_line_wins_over_a_configuration(self):
        self.train("other", "--config", "run/config.cfg", "--seed", 12, "--units", 4)
        text = (self.folder / "other" / "config.cfg").read_text()
        self.assertIn("seed=12\n", text)
        self.assertIn("units=4,4\n", text)
        self.assertIn("batch-size=9\n", text)

    def test_quiet_prints_nothing(self):
        for ranks in (0, 3):
            output = self.train(f"quiet{ranks}", *SETTINGS, "--quiet", ranks=ranks)
            self.assertEqual(output, "")
            self.assertTrue((self.folder / f"quiet{ranks}" / "log.txt").exists())

    def test_help(self):
        for command, option in (("", "--finetune-epochs"), ("train", "--units"),
                                ("evaluate", "--split"), ("predict", "--csv"),
                                ("encode", "--layer"), ("reconstruct", "--layer"),
                                ("export", "--onnx"), ("import", "--from"), ("inspect", "FILE"),
                                ("report", "--data"), ("doctor", "--threads")):
            output = self.run_program(*command.split(), "--help")
            self.assertIn(option, output)
            for way in ((command, "-h"), ("help", command)):
                self.assertEqual(self.run_program(*filter(None, way)), output, way)
        output = self.run_program("--help-all", ranks=3)
        self.assertEqual(output.count("--finetune-epochs"), 1)
        self.assertIn("--corruption-at", output)
        self.assertIn("(=100)", output)  # Defaults are shown.

    def test_help_and_version_fit_one_screen(self):
        for option in ("--help", "--version"):
            lines = self.run_program(option).splitlines()
            self.assertLess(len(lines), 24, option)
            self.assertLessEqual(max(map(len, lines)), 80, option)

    def test_version(self):
        text = self.run_program("--version")
        self.assertRegex(text, r"^sae_dist \d+\.\d+\.\d+\n")
        self.assertRegex(text, r"(?m)^  commit +([0-9a-f]{40,64}|unknown)$")
        self.assertRegex(text, r"(?m)^  compiler +\w+ \d+")
        self.assertRegex(text, r"(?m)^  HDF5 +\d+\.\d+\.\d+$")
        for name in ("MPI", "Eigen"):
            self.assertIn(name, text)

    def test_without_a_name_the_run_folder_is_new(self):
        folder = self.folder / "unnamed"
        folder.mkdir()
        for _ in range(2):
            self.run_program("--data", "../data.h5", *NETWORK, folder=folder)
        runs = os.listdir(folder / "runs")
        self.assertEqual(len(runs), 2)
        for run in runs:
            self.assertTrue((folder / "runs" / run / "model.h5").exists())

    def test_where_the_data_set_is_searched(self):
        def put(name, *path):
            place = self.folder.joinpath("search", *path)
            place.parent.mkdir(parents=True, exist_ok=True)
            write_dataset(place, toy_samples(VALIDATION + 9), toy_samples(3), classes=3, name=name)
            return place

        def found(program, **environment):
            output = self.run_program(*NETWORK, program=program, folder=here,
                                      environment=environment)
            return output.split("data  ", 1)[1].split("(", 1)[1].split(")")[0]

        root = self.folder / "search"
        put("installed", "usr/share/sae_dist/mnist.h5")
        put("source", "source/data/mnist.h5")
        named = put("named", "named.h5")
        here = root / "here"
        here.mkdir()
        programs = {}
        for name, place in (("installed", "usr/bin"), ("source", "source/build/ci/src")):
            (root / place).mkdir(parents=True)
            programs[name] = shutil.copy(PROGRAM, root / place)
        for name, program in programs.items():
            self.assertEqual(found(program), name)
        put("current", "here/data/mnist.h5")
        self.assertEqual(found(programs["source"]), "current")
        self.assertEqual(found(programs["source"], SAE_DATA=str(named)), "named")

    def test_a_terminal_shows_one_line_of_progress(self):
        self.assertNotIn("\r", self.output)  # That one went to a file.
        for ranks in (0, 2):
            with self.subTest(ranks=ranks):
                shown = on_a_terminal(
                    command_line("--run", f"shown{ranks}", *SETTINGS, ranks=ranks), self.folder)
                bars = re.findall("\r\x1b\\[K([^\r]*left \\S+/\\S+)\r", shown)
                self.assertTrue(bars, shown)
                for text in ("pretrain1 1/2", "%", "loss", "samples/s", "comm", "left"):
                    self.assertIn(text, bars[0])
                self.assertLess(len(bars[0]), COLUMNS)
                # Each is erased before a line that stays is written, however many there were.
                self.assertEqual(printed_losses(re.sub("[^\n]*\x1b\\[K", "", shown)),
                                 printed_losses(self.output))

    def test_ranks_of_differing_processors_agree_on_one_precision_and_say_so(self):
        start = self.script("mixed.sh", MIXED)
        settings = [word for word in SETTINGS if word not in ("--precision", "float32")]
        output = self.train("mixed", *settings, ranks=2, program=start)
        self.assertRegex(output, r"(?m)^  precision +float32$")
        self.assertRegex(output, r"(?m)^ +precision=float32$")
        config = (self.folder / "mixed" / "config.cfg").read_text()
        self.assertIn("\nprecision=float32\n", config)


if __name__ == "__main__":
    unittest.main()

"""`sae_dist bench` measures all that it names on one rank and on several, and `train --profile`
accounts for the time of a run."""

import json
import os
import unittest

from sae_program import PROGRAM, ProgramTest, metrics_of, toy_samples, write_dataset

STAGES = ["pretrain1", "pretrain2", "finetune"]
SIZES = ["--units", "20,10", "--batch-size", 9]
TINY = ["bench", "--inputs", 30, "--classes", 3, "--seconds", 0.01, *SIZES]
PARTS = ["data", "objective", "reduction", "update"]
TRAINING, VALIDATION, TEST = 900, 100, 50


class Bench(ProgramTest):
    def report(self, *arguments, **options):
        return json.loads(self.run_program(*TINY, *arguments, "--json", "-", **options))

    def assert_numbers(self, value, where="report"):
        """Finite and positive, but for time that there was nothing to spend on."""
        if isinstance(value, dict):
            for name, member in value.items():
                self.assert_numbers(member, f"{where}.{name}")
        elif isinstance(value, list):
            for i, member in enumerate(value):
                self.assert_numbers(member, f"{where}[{i}]")
        elif not isinstance(value, str):
            may_be_zero = where.endswith(("elementwise_seconds", "reduction_seconds"))
            (self.assertGreaterEqual if may_be_zero else self.assertGreater)(value, 0, where)
            self.assertLess(value, 1e18, where)

    def check(self, report, ranks):
        self.assert_numbers(report)
        self.assertEqual(report["ranks"], ranks)
        self.assertEqual(report["topology"], "30-20-10-3")
        self.assertEqual([stage["stage"] for stage in report["stages"]], STAGES)
        self.assertEqual({rate["product"] for rate in report["products"]},
                         {"forward", "transposed", "gradient"})
        self.assertEqual([rate["pass"] for rate in report["memory"]],
                         ["copy", *(f"update {stage}" for stage in STAGES)])
        for stage in report["stages"]:
            self.assertAlmostEqual(stage["bound_seconds"] * stage["step_to_bound"],
                                   stage["step_seconds"], delta=1e-9 + 1e-6 * stage["step_seconds"])
            parts = stage["data_seconds"] + stage["objective_seconds"] + stage["averaging_seconds"]
            self.assertAlmostEqual(stage["overlap"], parts / stage["step_seconds"])

    def test_one_rank(self):
        report = self.report("--precision", "float32")
        self.check(report, 1)
        self.assertEqual(report["reductions"], [])
        # Five products of a weight each in pretraining; three in fine-tuning, but two of the first.
        flop = {stage["stage"]: stage["products_flop"] for stage in report["stages"]}
        first, second, output = 30 * 20, 20 * 10, 10 * 3
        samples = 9
        self.assertEqual(flop, {"pretrain1": 2 * samples * 5 * first,
                                "pretrain2": 2 * samples * 5 * second,
                                "finetune": 2 * samples * (2 * first + 3 * (second + output))})

    def test_codes_of_finished_layers(self):
        first, second, samples = 30 * 20, 20 * 10, 9
        for choice, products, word in (("on", 5 * second, "kept"),
                                       ("off", first + 5 * second, "computed")):
            report = self.report("--cache-codes", choice, "--precision", "float32")
            self.assertEqual(report["stages"][1]["products_flop"], 2 * samples * products)
            self.assertIn(word, report["codes"])

    def test_two_ranks(self):
        report = self.report("--averaging", "node", "--precision", "float32", ranks=2)
        self.check(report, 2)
        sizes = {}
        for rate in report["reductions"]:
            sizes.setdefault(rate["averaging"].split(",")[0], []).append(rate["gradient_bytes"])
        self.assertEqual(sizes, {strategy: [1024 * 4**i for i in range(9)]
                                 for strategy in ("flat", "node")})

    def test_tables(self):
        output = self.run_program(*TINY, "--json", "report.json", "--corruption-at", "image")
        for text in ("sae_dist", "Eigen", "30-20-10-3", "1 x ", "9 samples", "GF/s", "GB/s",
                     *STAGES):
            self.assertIn(text, output)
        self.assertLessEqual(max(map(len, output.splitlines()[1:])), 100)
        self.check(json.loads((self.folder / "report.json").read_text()), 1)

    def test_steps_only(self):
        report = self.report("--steps-only", ranks=2)
        self.assertEqual([stage["stage"] for stage in report["stages"]], STAGES)
        self.assertEqual([report[name] for name in ("products", "memory", "reductions")], [[]] * 3)

    def test_threads_that_share_a_core_are_told_of(self):
        core = min(os.sched_getaffinity(0))
        told = self.run_program("-c", core, PROGRAM, *TINY, "--steps-only", "--threads", 2,
                                program="taskset")
        self.assertIn(f"1 rank x 2 threads is bound to core {core}: fewer would be faster.", told)

    def test_wrong_options_are_refused(self):
        self.assert_refused((64, ["--batch-size"], ["bench", "--batch-size", 0]),
                            (64, ["--corruption"], ["bench", "--corruption", 1]),
                            (64, ["--seconds"], ["bench", "--seconds", "long"]),
                            (64, ["--units"], ["bench", "--units", "10,0"]))


class Profile(ProgramTest):
    RANKS = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(VALIDATION + TRAINING),
                      toy_samples(TEST, seed=1), classes=3)
        # So much work that what other processes take is taken from all parts alike.
        cls.train("run", "--data", "data.h5", "--units", "400,200", *SIZES[2:], "--validation-size",
                  VALIDATION, "--pretrain-epochs", 3, "--finetune-epochs", 3, "--profile",
                  ranks=cls.RANKS)
        cls.run_folder = cls.folder / "run"

    def test_parts_add_up_to_the_seconds_of_the_epochs(self):
        profile = json.loads((self.run_folder / "profile.json").read_text())
        self.assertEqual(profile["ranks"], self.RANKS)
        self.assertEqual([stage["stage"] for stage in profile["stages"]], STAGES)
        for stage in profile["stages"]:
            self.assertEqual(stage["steps"], 3 * TRAINING // 9)
            self.assertEqual([rank["rank"] for rank in stage["by_rank"]], [*range(self.RANKS)])
            epochs = sum(line["seconds"] for line in metrics_of(self.run_folder)
                         if line["stage"] == stage["stage"])
            root = stage["by_rank"][0]
            steps = sum(root[f"{part}_seconds"] for part in PARTS)
            self.assertAlmostEqual(steps, epochs, delta=0.2 * epochs, msg=root)
            # Not the same for all: the others wait in their steps for what rank 0 does between.
            for rank in stage["by_rank"]:
                found = sum(rank[f"{part}_seconds"]
                            for part in (*PARTS, "checkpoint_and_evaluation"))
                total = rank["total_seconds"]
                self.assertAlmostEqual(found, total, delta=0.2 * total, msg=rank)
            for name, mean in stage["mean_of_ranks"].items():
                self.assertAlmostEqual(
                    mean, sum(rank[name] for rank in stage["by_rank"]) / self.RANKS, places=9)

    def test_trace_has_a_row_for_each_rank(self):
        events = json.loads((self.run_folder / "trace.json").read_text())["traceEvents"]
        rows = {event["tid"]: event["args"]["name"] for event in events
                if event["ph"] == "M" and event["name"] == "thread_name"}
        self.assertEqual(sorted(rows), [*range(self.RANKS)])
        for rank, name in rows.items():
            self.assertIn(f"rank {rank}", name)
        for rank in range(self.RANKS):
            parts = [event for event in events if event["ph"] == "X" and event["tid"] == rank]
            self.assertEqual({event["cat"] for event in parts}, set(STAGES))
            self.assertLessEqual(set(PARTS), {event["name"] for event in parts})
            self.assertEqual(max(event["args"]["step"] for event in parts), 199)
            parts.sort(key=lambda event: event["ts"])
            for before, after in zip(parts, parts[1:]):
                self.assertGreaterEqual(before["dur"], 0)
                # Whole nanoseconds.
                self.assertLessEqual(before["ts"] + before["dur"], after["ts"] + 0.002)

    def test_there_is_no_profile_unasked(self):
        self.train("plain", "--data", "data.h5", *SIZES, "--validation-size", VALIDATION,
                   "--pretrain-epochs", 0, "--finetune-epochs", 1)
        self.assertFalse((self.folder / "plain" / "profile.json").exists())
        self.assertFalse((self.folder / "plain" / "trace.json").exists())


if __name__ == "__main__":
    unittest.main()

"""TensorBoard's event files of a run: whole, true to metrics.jsonl and the model, and after a cut and
a resume as those of a run that was never interrupted."""

import unittest

import numpy as np

from event_reader import curves, events_of, masked_crc32c, png_pixels
from sae_program import ProgramTest, arrays_of, metrics_of, mnist_subset

# 20 steps an epoch: pretrain1 is steps 1 to 40, pretrain2 41 to 80, finetune 81 to 140.
SETTINGS = ["--data", "data.h5", "--validation-size", "50", "--units", "100,80", "--corruption",
            "0.3,0.4", "--pretrain-epochs", "2", "--finetune-epochs", "3", "--batch-size", "20",
            "--precision", "float32", "--summary-every", "4"]
STAGES = {"pretrain1": (1, 40), "pretrain2": (41, 80), "finetune": (81, 140)}


class EventFiles(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mnist_subset(cls.folder / "data.h5", 450, 100)
        cls.train("whole", *SETTINGS, ranks=2)

    def curves(self, run, stage):
        return curves(self.folder / run / "events" / stage)

    def test_check_sum_is_the_published_one(self):
        # CRC-32C of RFC 3720, B.4: 32 bytes of 0.
        crc = 0x8A9136AA
        self.assertEqual(masked_crc32c(bytes(32)),
                         ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    def test_scalars_come_every_so_many_steps_and_epochs(self):
        metrics = {line["step"]: line for line in metrics_of(self.folder / "whole")}
        for stage, (first, last) in STAGES.items():
            found = self.curves("whole", stage)
            for tag in ("loss/minibatch", "learning_rate", "speed/samples_per_second",
                        "speed/communication_share"):
                self.assertEqual([step for step, _ in found[tag]],
                                 [step for step in range(first, last + 1) if step % 4 == 0], tag)
            expected = [(step, line["loss"]) for step, line in metrics.items()
                        if line["stage"] == stage]
            self.assertEqual([step for step, _ in expected], list(range(first + 19, last + 1, 20)))
            np.testing.assert_allclose(found["loss/epoch"], expected, rtol=1e-6)
        found = self.curves("whole", "finetune")
        for tag, name in (("error/train", "train_error"), ("error/validation", "validation_error")):
            expected = [(step, line[name]) for step, line in metrics.items() if name in line]
            self.assertEqual(len(expected), 3)
            np.testing.assert_allclose(found[tag], expected, rtol=1e-6)

    def test_test_error_of_the_final_model_is_at_its_step(self):
        output = self.run_program("evaluate", "whole/model.h5", "--data", "data.h5")
        step, error = self.curves("whole", "finetune")["error/test"][-1]
        self.assertEqual(step, 140)
        self.assertIn(f"{error:.2f} %", output)

    def test_histograms_are_of_every_trained_array(self):
        arrays = arrays_of(self.folder / "whole/model.h5")
        found = self.curves("whole", "finetune")
        for name, values in arrays.items():
            step, told = found[name][-1]
            self.assertEqual(step, 140)
            self.assertEqual((told["min"], told["max"], told["num"]),
                             (values.min(), values.max(), values.size), name)
            np.testing.assert_allclose([told["sum"], told["sum_squares"]],
                                       [values.sum(dtype=np.float64),
                                        np.square(values, dtype=np.float64).sum()], rtol=1e-6)
            self.assertEqual(told["counts"].sum(), values.size)
            # As numpy counts them, but for values that rounding moves over a bound.
            edges = np.concatenate([[told["min"]], told["limits"]])
            if told["max"] > told["min"]:
                expected = np.histogram(values, bins=edges)[0]
                self.assertLessEqual(np.abs(np.cumsum(expected - told["counts"])).max(),
                                     1 + values.size // 1000, name)
        names = [tag for tag in self.curves("whole", "pretrain1") if tag.startswith("hidden")]
        self.assertEqual(sorted(names), ["hidden1/bias", "hidden1/visible_bias", "hidden1/weights"])

    def test_images_show_what_the_stage_sees(self):
        for stage in ("pretrain1", "pretrain2"):
            found = self.curves("whole", stage)
            for tag in ("images/inputs", "images/corrupted", "images/reconstructed"):
                self.assertEqual(found[tag][-1][1].shape, (2 * 29 - 1, 10 * 29 - 1), tag)
            layer = f"hidden{stage[-1]}"
            shape = {"hidden1": (10 * 29 - 1, 10 * 29 - 1), "hidden2": (8 * 29 - 1, 10 * 29 - 1)}
            self.assertEqual(found[f"filters/{layer}"][-1][1].shape, shape[layer])
        found = self.curves("whole", "pretrain1")
        inputs, corrupted = (found[f"images/{name}"][-1][1] for name in ("inputs", "corrupted"))
        lit = (inputs > 0) & (inputs != 128)
        self.assertAlmostEqual(np.mean(corrupted[lit] == 0), 0.3, delta=0.05)
        np.testing.assert_array_equal(corrupted[lit & (corrupted > 0)],
                                      inputs[lit & (corrupted > 0)])

    def test_pictures_in_the_folder_are_those_of_the_last_epoch(self):
        run = self.folder / "whole"
        finetune = self.curves("whole", "finetune")
        for layer in ("hidden1", "hidden2"):
            pixels = png_pixels((run / f"filters-{layer}.png").read_bytes())
            np.testing.assert_array_equal(pixels, finetune[f"filters/{layer}"][-1][1])
        rows = png_pixels((run / "reconstructions.png").read_bytes())
        found = self.curves("whole", "pretrain2")
        for row, name in enumerate(("inputs", "corrupted", "reconstructed")):
            np.testing.assert_array_equal(rows[row * 29:row * 29 + 28],
                                          found[f"images/{name}"][-1][1][:28])

    def test_configuration_is_told_as_text(self):
        (step, text), = self.curves("whole", "pretrain1")["configuration"]
        self.assertEqual(step, 4)
        lines = (self.folder / "whole/config.cfg").read_text().splitlines()
        self.assertEqual([line.strip() for line in text.splitlines()], lines)

    def test_graph_tells_what_is_frozen_and_what_is_trained(self):
        graphs = {stage: [event["graph"] for event in events_of(self.folder / "whole/events" / stage)
                          if "graph" in event] for stage in STAGES}
        self.assertEqual({stage: len(found) for stage, found in graphs.items()},
                         dict.fromkeys(STAGES, 1))
        for (nodes,) in graphs.values():
            for name, (_, inputs, _) in nodes.items():
                self.assertLessEqual(set(inputs), set(nodes), name)
        (first,), (second,), (last,) = graphs.values()
        self.assertEqual(first["inputs"], ("Placeholder", [], [-1, 784]))
        self.assertFalse([name for name in first if name.startswith("frozen")])
        self.assertEqual(second["frozen/hidden1/weights"], ("Const", [], [784, 100]))
        self.assertEqual(second["trained/hidden2/weights"], ("VariableV2", [], [100, 80]))
        self.assertEqual(second["masking_noise/corrupted"],
                         ("MaskingNoise", ["frozen/hidden1/clean/codes"], [-1, 100]))
        # Tied: encoder and decoder multiply by the same weights.
        users = [name for name, (op, inputs, _) in second.items()
                 if op == "MatMul" and "trained/hidden2/weights" in inputs]
        self.assertEqual(users, ["trained/hidden2/encoder/product",
                                 "trained/hidden2/decoder/product"])
        self.assertEqual(second["update"][1],
                         ["loss/mean_over_samples", "trained/hidden2/weights",
                          "trained/hidden2/bias", "trained/hidden2/visible_bias"])
        self.assertFalse([name for name in last if name.startswith("frozen")])
        self.assertEqual(last["trained/output/weights"], ("VariableV2", [], [80, 10]))

    def test_cut_and_resumed_goes_on_as_if_uninterrupted(self):
        settings = [*SETTINGS, "--checkpoint-every", "27", "--keep-checkpoints", "9"]
        self.train("cut", *settings, "--stop-after-steps", "116", code=75, ranks=2)
        self.assertEqual(self.curves("cut", "finetune")["loss/minibatch"][-1][0], 116)
        # As if the run had died before it could save what its event files tell of.
        for path in (self.folder / "cut/checkpoints").glob("step-*.h5"):
            if int(path.stem[5:]) > 54:
                path.unlink()
        self.train("cut", *settings, "--stop-after-steps", "6", "--resume", "auto", code=75, ranks=2)
        # What lies beyond is void, in stages that have not begun anew as well.
        for stage in STAGES:
            steps = {step for points in self.curves("cut", stage).values() for step, _ in points}
            self.assertLessEqual(max(steps), 60, stage)
        self.train("cut", *settings, "--resume", "auto", ranks=2)
        for stage in STAGES:
            expected, found = self.curves("whole", stage), self.curves("cut", stage)
            self.assertEqual(sorted(found), sorted(expected))
            for tag, points in found.items():
                steps = [step for step, _ in points]
                self.assertEqual(steps, sorted(set(steps)), (stage, tag))
                if tag != "configuration":
                    self.assertEqual(steps, [step for step, _ in expected[tag]], (stage, tag))
            self.assertEqual(found["loss/minibatch"], expected["loss/minibatch"])
            self.assertEqual(found["learning_rate"], expected["learning_rate"])

    def test_killed_they_hold_all_up_to_the_last_checkpoint(self):
        mnist_subset(self.folder / "long.h5", 20_000, 10)  # Long epochs: their ends are written anyway.

        def newest():
            return max((int(path.stem[5:]) for path in
                        (self.folder / "killed/checkpoints").glob("step-*.h5")), default=0)

        settings = [{"data.h5": "long.h5", "20": "2"}.get(word, word) for word in SETTINGS]
        self.kill_when("killed", newest, *settings, "--checkpoint-every", 27)
        steps = [step for step, _ in self.curves("killed", "pretrain1")["loss/minibatch"]]
        expected = newest() // 4 * 4
        self.assertEqual([step for step in steps if step <= expected], list(range(4, expected + 1, 4)))

    def test_a_folder_that_cannot_be_made_is_tried_again(self):
        events = self.folder / "late/events"
        events.mkdir(parents=True)
        (events / "pretrain1").write_text("in the way")

        def look():
            metrics = self.folder / "late/metrics.jsonl"
            if (events / "pretrain1").is_file() and metrics.exists() and metrics_of(metrics.parent):
                (events / "pretrain1").unlink()
            return list(events.glob("pretrain1/*"))

        endless = {"2": "100000"}
        self.while_training("late", look, *(endless.get(word, word) for word in SETTINGS), "--resume",
                            "auto")
        self.assertTrue(self.curves("late", "pretrain1")["loss/epoch"])

    def test_writes_nothing_if_not_asked_to(self):
        self.train("none", *SETTINGS[:-1], "0")
        self.assertFalse((self.folder / "none/events").exists())


if __name__ == "__main__":
    unittest.main()

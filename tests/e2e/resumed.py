"""Whatever a run is resumed from, and wherever: nothing of before is lost or mislabelled, and best.h5 is
of the epoch that the run calls best."""

import shutil
import unittest

import h5py
import numpy as np
from sae_program import SOURCE_DIR, ProgramTest, metrics_of, toy_samples, write_dataset

SETTINGS = ["--data", "data.h5", "--validation-size", "20", "--units", "20", "--pretrain-epochs", "2",
            "--finetune-epochs", "8", "--batch-size", "10", "--momentum", "0.5", "--quiet",
            "--finetune-learning-rate", "0.1"]
EVERY = ["--checkpoint-every", "5", "--keep-checkpoints", "100"]
STOPPED, WRONG_OPTION, DAMAGED, NO_OUTPUT = 75, 64, 65, 73


def names_in(folder):
    return sorted(path.name for path in folder.glob("*.h5"))


def step_name(step):
    return f"step-{step:010}.h5"


def step_of(path):
    with h5py.File(path) as file:
        return int(file.attrs["step"])


class Resumed(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Labels by chance: the validation error does not fall, and the best epoch comes early.
        images, labels = toy_samples(120)
        write_dataset(cls.folder / "data.h5", (images, np.random.default_rng(1).permutation(labels)),
                      toy_samples(10), classes=3)
        # The first 10 updates of an epoch each; fine-tuning begins after 20.
        for seed in range(1, 20):
            cls.settings = [*SETTINGS, "--seed", seed]
            cls.whole = cls.folder / f"whole{seed}"
            cls.train(cls.whole, *cls.settings, *EVERY)
            cls.best = step_of(cls.whole / "best.h5")
            # On a slow disk a checkpoint may come later than asked for.
            steps = {step_of(path) for path in (cls.whole / "checkpoints").iterdir()}
            if 20 < cls.best < 80 and {20, 35, 40, 60, 70, cls.best + 5} <= steps:
                return
        raise AssertionError("the last epoch is the best one, whatever the seed")

    def resume(self, run, *options, code=0, start="auto", **more):
        return self.train(run, "--resume", start, *self.settings, *options, code=code, **more)

    def copy_of_whole(self, name):
        run = self.folder / name
        shutil.copytree(self.whole, run)
        return run

    def cut_after(self, name, step):
        """A copy of the whole run as if it had been killed when so many updates were saved."""
        run = self.copy_of_whole(name)
        for path in (run / "checkpoints").iterdir():
            if path.name > step_name(step):
                path.unlink()
        (run / "model.h5").unlink()
        return run

    def assert_best_is_that_of_the_whole(self, run):
        self.assertEqual((run / "best.h5").read_bytes(), (self.whole / "best.h5").read_bytes())

    # Which checkpoints are the run's.

    def test_from_an_older_file_sets_newer_ones_aside(self):
        run = self.copy_of_whole("older")
        newer = [name for name in names_in(run / "checkpoints") if name > step_name(20)]
        for start, stop in ((run / "checkpoints" / step_name(20), 10), ("auto", 5)):
            self.resume(run, "--checkpoint-every", 5, "--keep-checkpoints", 3, "--stop-after-steps",
                        stop, start=start, code=STOPPED)
            kept = names_in(run / "checkpoints")
            self.assertLessEqual(len(kept), 3)
            self.assertEqual(kept[-1], step_name(30 if stop == 10 else 35))
        aside, = (run / "checkpoints").glob("set-aside-*")
        self.assertEqual(names_in(aside), ["best.h5", "model.h5", *newer])
        self.assertFalse((run / "model.h5").exists())
        self.assertRegex((run / "log.txt").read_text(), r"set aside in \S*/checkpoints/set-aside-\d+: "
                                                        r"step-0000000025\.h5, .*best\.h5")
        self.resume(run)
        self.assertEqual((run / "model.h5").read_bytes(), (self.whole / "model.h5").read_bytes())
        self.assert_best_is_that_of_the_whole(run)
        # What was set aside can be taken up again.
        self.resume(run, "--stop-after-steps", 5, start=aside / step_name(70), code=STOPPED)
        self.assertEqual(names_in(run / "checkpoints"), [step_name(70), step_name(75)])

    def test_a_damaged_newer_checkpoint_does_not_outlive_a_good_one(self):
        run = self.cut_after("damaged", 40)
        (run / "checkpoints" / step_name(40)).write_bytes(b"damaged")
        self.resume(run, "--keep-checkpoints", 1, "--stop-after-steps", 2, code=STOPPED)
        self.assertEqual(names_in(run / "checkpoints"), [step_name(37)])
        self.resume(run, "--keep-checkpoints", 1, "--stop-after-steps", 1, start="required",
                    code=STOPPED)

    def test_a_file_from_elsewhere_becomes_the_first_checkpoint_of_the_folder(self):
        other = self.copy_of_whole("other")
        self.resume("other", "--checkpoint-every", "99e", "--stop-after-steps", 1, code=STOPPED,
                    start=self.whole / "checkpoints" / step_name(35))
        self.assertEqual(names_in(other / "checkpoints"), [step_name(35), step_name(36)])

    # The best epoch.

    def test_of_the_best_epoch_into_a_new_folder_has_its_best(self):
        self.resume("new", start=self.whole / "checkpoints" / step_name(self.best))
        self.assert_best_is_that_of_the_whole(self.folder / "new")

    def test_from_later_into_a_new_folder_finds_the_best_beside_the_file(self):
        self.resume("new_later", start=self.whole / "checkpoints" / step_name(self.best + 5))
        self.assert_best_is_that_of_the_whole(self.folder / "new_later")

    def test_a_best_that_is_missing_damaged_or_of_another_epoch_is_written_anew(self):
        for name, spoil in (("missing", lambda best: best.unlink()),
                            ("spoiled", lambda best: best.write_bytes(b"damaged")),
                            ("mixed", lambda best: shutil.copy(self.whole / "model.h5", best))):
            for step in (self.best, self.best + 5):  # The kill was before the rename of best.h5.
                with self.subTest(name, step=step):
                    run = self.cut_after(f"{name}{step}", step)
                    spoil(run / "best.h5")
                    self.resume(run, "--stop-after-steps", 1, code=STOPPED)
                    self.assert_best_is_that_of_the_whole(run)
                    self.resume(run)
                    self.assert_best_is_that_of_the_whole(run)

    def test_a_best_that_is_lost_is_looked_for_anew_with_a_warning(self):
        run = self.cut_after("lost", self.best + 5)
        (run / "best.h5").unlink()
        (run / "checkpoints" / step_name(self.best)).unlink()
        text = self.resume(run)
        self.assertRegex(text, f"warning: .*best model, of step {self.best}, .*looked for anew")
        told = [line["step"] for line in metrics_of(run) if line.get("best")]
        self.assertEqual(step_of(run / "best.h5"), told[-1])
        self.assertGreater(told[-1], self.best)

    def test_a_best_that_cannot_be_written_is_no_success(self):
        run = self.cut_after("blocked", self.best)
        (run / "best.h5").unlink()
        (run / "best.h5").mkdir()
        self.resume(run, code=NO_OUTPUT)
        (run / "best.h5").rmdir()
        self.resume(run)
        self.assert_best_is_that_of_the_whole(run)

    # Settings.

    def test_what_auto_decided_belongs_to_the_run(self):
        for precision, here in (("float32", {}), ("bfloat16", {"SAE_NO_BFLOAT16": "1"})):
            with self.subTest(precision):
                self.train(precision, *self.settings, "--precision", precision, "--stop-after-steps", 5,
                           code=STOPPED)
                text = self.resume(precision, environment=here)
                self.assertEqual("bfloat16" in text, precision == "bfloat16", text)  # A warning.
                self.assertIn(f"\nprecision={precision}\n",
                              (self.folder / precision / "config.cfg").read_text())
                self.train(f"{precision}_whole", *self.settings, "--precision", precision,
                           environment=here)
                for model in ("model.h5", "best.h5"):
                    self.assertEqual((self.folder / precision / model).read_bytes(),
                                     (self.folder / f"{precision}_whole" / model).read_bytes())
                other = "float32" if precision == "bfloat16" else "bfloat16"
                text = self.resume(precision, "--precision", other, code=WRONG_OPTION)
                self.assertIn(f"--precision was {precision} and is now {other}", text)

    def test_a_data_set_in_another_order_is_another_one(self):
        shutil.copy(self.folder / "data.h5", self.folder / "kept.h5")
        changes = {"order": lambda images, labels: (images[::-1], labels[::-1]),
                   "label": lambda images, labels: (images, np.append(1 - labels[:1] % 2, labels[1:])),
                   "sample": lambda images, labels: (np.concatenate([images[1:], images[:1]]), labels)}
        for split in ("train", "test"):
            for name, change in changes.items():
                with self.subTest(name, split=split):
                    run = self.cut_after(f"{name}_{split}", 40)
                    shutil.copy(self.folder / "kept.h5", self.folder / "data.h5")
                    with h5py.File(self.folder / "data.h5", "r+") as file:
                        group = file[split]
                        images, labels = change(group["images"][()], group["labels"][()])
                        group["images"][...] = images
                        group["labels"][...] = labels
                    text = self.resume(run, code=DAMAGED)
                    self.assertIn("on other samples or labels, or in another order", text)
        shutil.move(self.folder / "kept.h5", self.folder / "data.h5")
        # It is the samples that count, on any number of ranks.
        self.resume(self.cut_after("ranks", 40), ranks=3)

    def test_samples_per_second_are_those_of_the_session(self):
        run = self.cut_after("in_midst", 65)
        self.resume(run)
        trained = [round(line["samples_per_second"] * line["seconds"]) for line in metrics_of(run)]
        self.assertEqual(trained, [100] * 6 + [50] + [100] * 3)

    def test_more_epochs_tell_how_the_learning_rate_rises(self):
        run = self.cut_after("longer", 60)
        longer = [18 if word == "8" else word for word in self.settings]
        self.train(run, "--resume", "auto", *longer, "--stop-after-steps", 1, code=STOPPED)
        # 0.1 x (1 - 39 / 80) at the last update, 0.1 x (1 - 40 / 180) at the next.
        self.assertRegex((run / "log.txt").read_text(), "fine-tuning goes on for 10 more epochs: the "
                                                        r"learning rate rises from 0\.051\d to 0\.0778")


def formula_samples(count, first):
    """The samples of the data set that tests/data was made with."""
    number, pixel = np.ogrid[first:first + count, 0:30]
    labels = number * 7 // 3 % 3
    images = (number * 37 + pixel * 11 + number * pixel) % 100 + np.where(pixel % 3 == labels, 60, 0)
    return images.astype(np.uint8), labels[:, 0]


class OfAnEarlierProgram(ProgramTest):
    SETTINGS = ["--data", "data.h5", "--validation-size", "11", "--units", "6,5", "--corruption",
                "0.2,0.3", "--pretrain-epochs", "2", "--finetune-epochs", "8", "--batch-size", "10",
                "--momentum", "0.5", "--finetune-learning-rate", "0.2", "--initial-scale", "1", "--quiet"]

    def test_goes_on_as_it_would_have(self):
        write_dataset(self.folder / "data.h5", formula_samples(97, 0), formula_samples(31, 97), classes=3)
        # Processors round otherwise, in bfloat16 to 2^-9: relative to the loss.
        for precision, tolerance in (("float32", 1e-4), ("bfloat16", 5e-3)):
            with self.subTest(precision):
                run, whole = self.folder / precision, self.folder / f"{precision}_whole"
                shutil.copytree(SOURCE_DIR / "tests/data" / precision, run)
                self.train(run, "--resume", "auto", *self.SETTINGS)  # The precision is the run's.
                self.train(whole, *self.SETTINGS, "--precision", precision, "--validation", "first")
                self.assertIn("step 76", (run / "log.txt").read_text())
                found, expected = metrics_of(run), metrics_of(whole)
                self.assertEqual([(line["stage"], line["epoch"], line["step"]) for line in found],
                                 [(line["stage"], line["epoch"], line["step"]) for line in expected])
                for a, b in zip(found, expected):
                    self.assertLess(abs(a["loss"] - b["loss"]), tolerance * b["loss"])
                told = [line["step"] for line in found if line.get("best")]
                self.assertEqual(step_of(run / "best.h5"), told[-1])


if __name__ == "__main__":
    unittest.main()

"""What every file of a run must be at any moment, however the run ended."""

import json

import h5py
import numpy as np
from event_reader import records

UNTRACED = ("seconds", "samples_per_second", "communication_share")


def metrics_without_times(text):
    lines = [json.loads(line) for line in text.splitlines()]
    return [{name: value for name, value in line.items() if name not in UNTRACED} for line in lines]


def parameters_of(path):
    """(step, all arrays of the model)."""
    with h5py.File(path) as file:
        arrays = []
        file["model"].visititems(lambda _, item: arrays.append(item[()])
                                 if isinstance(item, h5py.Dataset) else None)
        return int(file.attrs["step"]), arrays


class RunFiles:
    """Compares the files of runs that were cut with those of `whole`, the same run left alone, whose
    checkpoints have all been kept."""

    def __init__(self, test, whole):
        self.test, self.whole = test, whole
        self.metrics = metrics_without_times((whole / "metrics.jsonl").read_text())
        self.best_steps = [line["step"] for line in self.metrics if line.get("best")]
        self.pretrained_step = max((line["step"] for line in self.metrics
                                    if line["stage"] != "finetune"), default=None)

    def check(self, run):
        """Each file is whole and of one moment of the run, or not there. Of what is appended to a
        file, the last can be cut."""
        for path in run.rglob("*"):
            if path.is_dir() or path.suffix == ".tmp":
                continue  # What was being written.
            try:
                getattr(self, "check_" + path.suffix[1:], self.check_other)(path)
            except (AssertionError, OSError, ValueError) as error:
                raise AssertionError(f"{path.relative_to(run)}: {error}") from error

    def check_h5(self, path):
        step, arrays = parameters_of(path)
        if path.name.startswith("step-"):
            self.test.assertEqual(path.name, f"step-{step:010}.h5")
        elif path.name == "best.h5":
            self.test.assertIn(step, self.best_steps)
        elif path.name == "pretrained.h5":
            self.test.assertEqual(step, self.pretrained_step)
        else:
            self.test.assertEqual(step, self.metrics[-1]["step"])
        same = self.whole / "checkpoints" / f"step-{step:010}.h5"
        if same.exists():
            for found, expected in zip(arrays, parameters_of(same)[1], strict=True):
                np.testing.assert_array_equal(found, expected)

    def check_jsonl(self, path):
        text = path.read_text().rpartition("\n")[0]
        if path.name == "metrics.jsonl":
            found = metrics_without_times(text)
            self.test.assertEqual(found, self.metrics[:len(found)])
        else:
            for line in text.splitlines():
                json.loads(line)

    def check_cfg(self, path):
        self.test.assertEqual(path.read_text(), (self.whole / path.name).read_text())

    def check_html(self, path):
        self.test.assertRegex(path.read_text(), r"</html>\s*$")

    def check_png(self, path):
        data = path.read_bytes()
        self.test.assertEqual((data[:4], data[-8:-4]), (b"\x89PNG", b"IEND"))

    def check_other(self, path):
        if path.name.startswith("events.out"):
            try:
                list(records(path.read_bytes()))
            except ValueError as error:
                self.test.assertIn("cut", str(error))
        else:
            self.test.assertIn(path.name, ("log.txt", "generation"))

    def check_ended(self, run):
        """The run went on to its end: what it leaves is what it would have left."""
        self.check(run)
        self.test.assertEqual(list(run.rglob("*.tmp")), [])
        for name in ("pretrained.h5", "model.h5", "best.h5", "config.cfg"):
            self.test.assertEqual((run / name).read_bytes(), (self.whole / name).read_bytes(), name)
        self.test.assertEqual(metrics_without_times((run / "metrics.jsonl").read_text()), self.metrics)
        # A picture that could not be written is told and drawn anew after the next epoch, if there is one.
        missing = {path.name for path in self.whole.iterdir()} - {path.name for path in run.iterdir()}
        self.test.assertEqual({name for name in missing if not name.endswith(".png")}, set())

"""As many classes as there can be: in little memory, and with an output that can be read."""

import csv
import io
import unittest

import numpy as np
from sae_program import ProgramTest, metrics_of, printed_counts, write_dataset

CLASSES = 65535


def samples(count, first):
    number = np.arange(first, first + count)
    images = (number[:, None] * 37 + np.arange(12) * 91) % 256
    return images.astype(np.uint8), (number * 251 % CLASSES)


class ManyClasses(ProgramTest):
    def test_train_and_evaluate(self):
        write_dataset(self.folder / "data.h5", samples(400, 0), samples(100, 400), classes=CLASSES)
        output = self.train("run", "--data", "data.h5", "--units", 10, "--pretrain-epochs", 1,
                            "--finetune-epochs", 1, "--validation-size", 50, ranks=2)
        self.assertLess(len(output), 10000)
        self.assertIn("most frequent confusions of", output)
        self.assertLess((self.folder / "run" / "journal.jsonl").stat().st_size, 100000)
        self.assertEqual(len(metrics_of(self.folder / "run")), 2)
        [(errors, count)] = printed_counts(output)[-1:]
        self.assertEqual(count, 100)
        table = self.run_program("evaluate", "run/model.h5", "--data", "data.h5", "--confusion", "--csv",
                                 "-", ranks=2)
        rows = list(csv.DictReader(io.StringIO(table)))
        self.assertEqual(sum(int(row["samples"]) for row in rows), 100)
        self.assertEqual(sorted(int(row["label"]) for row in rows for _ in range(int(row["samples"]))),
                         sorted(samples(100, 400)[1]))
        self.assertEqual(sum(int(row["samples"]) for row in rows if row["label"] != row["predicted"]),
                         errors)
        self.run_program("report", "run")
        self.assertIn("most frequent confusions", (self.folder / "run" / "report.html").read_text())


if __name__ == "__main__":
    unittest.main()

"""A table of 500 MB, or as many MB as the argument says, is imported in bounded memory; prints how
fast, by core."""

import os
import resource
import sys
import time
import unittest

import h5py
import numpy as np

from sae_program import ProgramTest

MEGABYTES = int(sys.argv.pop(1)) if len(sys.argv) > 1 else 500
FEATURES, ROWS = 28, 20_000  # Of the part that is repeated.
LEAST_SPEED = 50e6  # Bytes a second of one core; far below what is usual, for a machine at work.
MOST_MEMORY = 200e6


class LargeTable(ProgramTest):
    def test_speed_and_memory(self):
        values = np.random.default_rng(1).standard_normal((ROWS, FEATURES)).astype(np.float32)
        part = "".join(f"{i % 10}," + ",".join(f"{value:.7g}" for value in row) + "\n"
                       for i, row in enumerate(values)).encode()
        repeated = MEGABYTES * 10**6 // len(part) + 1
        table = self.folder / "large.csv"
        with open(table, "wb") as file:
            file.write(",".join(["kind", *(f"f{i}" for i in range(FEATURES))]).encode() + b"\n")
            for _ in range(repeated):
                file.write(part)
        size = table.stat().st_size
        for threads in range(1, min(2, len(os.sched_getaffinity(0))) + 1):
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            self.run_program("import", "--csv", table, "--label", "kind", "--output", "large.h5",
                             "--force", within=1000, environment={"OMP_NUM_THREADS": str(threads)})
            wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
            busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(f"{size / 1e6:.0f} MB, {threads} threads: {wall:.1f} s, {size / wall / 1e6:.0f} MB/s; "
                  f"{size / busy / 1e6:.0f} MB/s a core, peak memory {after.ru_maxrss / 1e3:.0f} MB")
            self.assertGreater(size / busy, LEAST_SPEED)
            self.assertLess(after.ru_maxrss * 1024, MOST_MEMORY)
        with h5py.File(self.folder / "large.h5") as file:
            stored = file["train/images"]
            self.assertEqual(stored.shape, (ROWS * repeated, FEATURES))
            expected = np.array([float(f"{v:.7g}") for v in values[-1]], np.float32)
            np.testing.assert_array_equal(stored[-1], expected)
            self.assertEqual(file["train/labels"][-1], (ROWS - 1) % 10)


if __name__ == "__main__":
    unittest.main()

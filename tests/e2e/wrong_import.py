"""IDX files and arrays that are damaged, or do not go together, are named with the place and the
fault, exit code 65 or 66, and what stood at the output stays. Good ones are read by h5py."""

import gzip
import os
import shutil
import struct
import unittest

import h5py
import numpy as np

from sae_program import ProgramTest

UNSUITABLE, MISSING, OUTPUT = 65, 66, 73
TRAINING, TEST, SIDE, CLASSES = 40, 10, 4, 3

USUAL_NAMES = {"train-images": "train-images-idx3-ubyte", "train-labels": "train-labels-idx1-ubyte",
               "test-images": "t10k-images-idx3-ubyte", "test-labels": "t10k-labels-idx1-ubyte"}


def idx(values):
    """The bytes of an IDX file of uint8."""
    return b"\0\0\x08" + struct.pack(f">B{values.ndim}I", values.ndim, *values.shape) + \
        values.tobytes()


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1:]


class WrongImport(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        random = np.random.default_rng(0)
        cls.arrays = {}
        for split, count in (("train", TRAINING), ("test", TEST)):
            shape = (count, SIDE, SIDE)
            cls.arrays[f"{split}-images"] = random.integers(256, size=shape, dtype=np.uint8)
            cls.arrays[f"{split}-labels"] = (np.arange(count) % CLASSES).astype(np.uint8)
        (cls.folder / "idx").mkdir()
        cls.idx_files = {}
        for name, values in cls.arrays.items():
            cls.idx_files[name] = cls.write(USUAL_NAMES[name], idx(values))
        cls.run_program("import", "--from", "idx", "--output", "there.h5")

    @classmethod
    def write(cls, name, data):
        (cls.folder / "idx" / name).write_bytes(data)
        return f"idx/{name}"

    def importing(self, output="new.h5", *more, **replaced):
        """The words of an import; `replaced` files by their option, with _ for -."""
        files = dict(self.idx_files)
        files.update({name.replace("_", "-"): file for name, file in replaced.items()})
        return ["import", "--output", output, *more,
                *(word for name, file in files.items() for word in (f"--{name}", file))]

    def test_damaged_files(self):
        images, labels = idx(self.arrays["train-images"]), idx(self.arrays["train-labels"])
        header = 16
        huge = images[:4] + struct.pack(">I", 2**31) + images[8:]
        packed = gzip.compress(images)
        cases = [
            ("cut", images[:-100], ["ends too early", "(40, 4, 4)"]),
            ("cut_in_header", images[:10], ["byte 10", "header"]),
            ("magic", b"\1" + images[1:], ["magic number"]),
            ("type", images[:2] + b"\x0d" + images[3:], ["0x0d", "0x08"]),
            ("dimensions", images[:3] + b"\x09" + images[4:], ["9 dimensions"]),
            ("none", images[:4] + bytes(4) + images[8:header], ["dimension 1"]),
            ("huge", huge, ["2147483648", str(len(images))]),
            ("longer", images + b"\0", ["more follows"]),
            ("empty", b"", ["header"]),
            ("huge.gz", gzip.compress(huge), ["2147483648"]),
            ("cut.gz", packed[:len(packed) // 2], ["damaged"]),
            ("flip.gz", flipped(packed, len(packed) // 2), ["damaged"]),
            ("crc.gz", flipped(packed, len(packed) - 6), ["damaged", "check sum"]),
            ("tail.gz", packed[:-4], ["damaged"]),
            ("short.gz", gzip.compress(images[:-100]), ["ends too early"]),
            ("as_labels", labels, ["(40)"]),
        ]
        # To a new output, and to one that is there and must stay.
        self.assert_refused(*(
            (UNSUITABLE, [name, *words],
             self.importing(*output, train_images=self.write(name, data)))
            for name, data, words in cases for output in (["new.h5"], ["there.h5", "--force"])))

    def test_files_that_do_not_go_together(self):
        fewer = self.write("fewer", idx(self.arrays["train-labels"][1:]))
        narrow = self.write("narrow", idx(self.arrays["test-images"][:, :, 1:]))
        self.assert_refused(
            (UNSUITABLE, ["39", "40", "fewer"], self.importing(train_labels=fewer)),
            (UNSUITABLE, ["(4, 3)", "(4, 4)", "narrow"], self.importing(test_images=narrow)),
            (UNSUITABLE, ["train-labels", "sample 2", "2"],
             self.importing("new.h5", "--classes", CLASSES - 1)))

    def test_what_is_read_or_was_work_stays(self):
        shutil.copy(self.folder / "there.h5", self.folder / "arrays_too.h5")
        os.link(self.folder / "arrays_too.h5", self.folder / "hard.h5")
        (self.folder / "soft.h5").symlink_to("arrays_too.h5")
        arrays = ["--hdf5", "arrays_too.h5", "--train-images", "train/images"]
        images = self.idx_files["train-images"]
        self.assert_refused(
            (OUTPUT, ["there.h5 is a data set", "--force"], self.importing("there.h5")),
            (OUTPUT, [images, "it is read"], self.importing(images, "--force")),
            *((OUTPUT, [name, "it is read"], ["import", "--output", name, "--force", *arrays])
              for name in ("arrays_too.h5", "hard.h5", "./soft.h5")))
        self.run_program(*self.importing("there.h5", "--force"))

    def test_missing_files(self):
        (self.folder / "part").mkdir(exist_ok=True)
        (self.folder / "part" / USUAL_NAMES["train-images"]).touch()
        self.assert_refused(
            (MISSING, ["absent"], self.importing(test_images="absent")),
            (MISSING, ["idx", "folder"], self.importing(test_images="idx")),
            (MISSING, ["absent"], ["import", "--from", "absent", "--output", "new.h5"]),
            (MISSING, ["'part'", "train-labels"],
             ["import", "--from", "part", "--output", "new.h5"]),
            (MISSING, ["idx", "fashion"],
             ["import", "--from", "idx", "--set", "fashion", "--output", "new.h5"]))

    def test_an_output_that_cannot_be_written(self):
        self.assert_refused((OUTPUT, ["absent/new.h5"], self.importing("absent/new.h5")),
                            (OUTPUT, ["'idx'"], self.importing("idx")))

    def test_arrays_that_are_wrong(self):
        with h5py.File(self.folder / "arrays.h5", "w") as file:
            file["x"] = self.arrays["train-images"] / 255
            file["infinite"] = np.where(np.arange(TRAINING)[:, None, None] == 5, np.inf, file["x"])
            file["y"] = self.arrays["train-labels"]
            file["fewer"] = self.arrays["train-labels"][1:]
            file["negative"] = np.where(np.arange(TRAINING) == 5, -2, file["y"][()].astype(int))

        def arrays(x, y):
            return ["import", "--hdf5", "arrays.h5", "--output", "new.h5",
                    "--train-images", x, "--train-labels", y]

        self.run_program(*arrays("x", "y")[:4], "fine.h5", *arrays("x", "y")[5:])
        self.assert_refused(*(
            (UNSUITABLE, ["arrays.h5", *words], arrays(x, y)) for x, y, words in (
                ("infinite", "y", ["infinite", "sample 5"]), ("absent", "y", ["absent"]),
                ("x", "fewer", ["39", "40"]), ("x", "negative", ["negative", "sample 5"]))))

    def test_h5py_reads_what_was_imported(self):
        packed = {name: self.write(f"{name}.gz", gzip.compress(idx(values)))
                  for name, values in self.arrays.items()}
        self.run_program(*self.importing("packed.h5", **packed))
        for name in ("there.h5", "packed.h5"):
            with h5py.File(self.folder / name) as file:
                self.assertEqual(file.attrs["format"], "sae-dataset")
                self.assertEqual((file.attrs["version"], file.attrs["classes"]), (1, CLASSES))
                for split in ("train", "test"):
                    for array in ("images", "labels"):
                        stored = file[f"{split}/{array}"]
                        np.testing.assert_array_equal(stored, self.arrays[f"{split}-{array}"])
                        self.assertTrue(stored.fletcher32 and stored.shuffle and stored.compression)


if __name__ == "__main__":
    unittest.main()

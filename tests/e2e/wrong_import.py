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


    # Tables.

    def table(self, name, text):
        data = text if isinstance(text, bytes) else text.encode()
        (self.folder / name).write_bytes(data)
        return name

    def refuse_tables(self, cases):
        """Of each case (name, text, words, options) of a table."""
        made = [(self.table(f"{name}.csv", text), words, options)
                for name, text, words, options in cases]
        self.assert_refused(*(
            (UNSUITABLE, [f"'{name}'", *words],
             ["import", "--csv", name, "--output", "new.h5", *options])
            for name, words, options in made))

    def test_tables_that_are_no_tables(self):
        packed = gzip.compress(b"1,2\n" * 1000)
        self.refuse_tables((
            ("empty", "", ["it is empty"], []),
            ("blank", "\n\n", ["no rows"], []),
            ("only_header", "a,b\n", ["a header and no rows"], []),
            ("only_header_said", "1,2\n", ["a header and no rows"], ["--header", "yes"]),
            ("nul", b"1,2\n3,4\n5,\0\n", ["line 3", "NUL"], []),
            ("utf16", "a,b\n1,2\n".encode("utf-16"), ["UTF-16"], []),
            ("sheet", b"PK\x03\x04" + bytes(50), ["spreadsheet"], []),
            ("returns", "1,2\r3,4\r", ["carriage returns"], []),
            ("quote", 'a,b\n1,2\n3,"4\n5,6\n', ["line 3", "quote", "not closed"], []),
            ("behind", 'a,b\n"1"x,2\n', ["line 2", "field 1"], []),
            ("ragged", "a,b\n1,2\n\n3\n", ["line 4", "1 field,", "has 2"], []),
            ("longer", "1,2\n3,4,5\n", ["line 2", "3 fields", "has 2"], []),
            ("cut.gz", packed[:-9], ["damaged"], []),
            ("flip.gz", flipped(packed, 15), ["damaged"], [])))

    def test_columns_that_are_not_there(self):
        self.refuse_tables((
            ("no_label", "a,b\n1,2\n", ["no column 'c'", "a, b"], ["--label", "c"]),
            ("no_number", "1,2\n3,4\n", ["no column '3'", "2 columns"], ["--label", "3"]),
            ("zero", "1,2\n3,4\n", ["no column '0'"], ["--ignore", "0"]),
            ("twice", "a,b,a\n1,2,3\n", ["columns 1 and 3", "'a'"], []),
            ("both", "a,b\n1,2\n", ["'b'", "both"], ["--label", "b", "--ignore", "b"]),
            ("nothing", "a,b\n1,2\n", ["no column is left"], ["--label", "b", "--ignore", "a"]),
            ("name", b"a\xfc,b\n1,2\n", ["column 1", "UTF-8"], [])))

    def test_fields_that_are_wrong(self):
        many = "".join(f"w{i}\n" for i in range(1001))
        ages = "age\n" + "".join(f"{i}\n" for i in range(1500))
        self.refuse_tables((
            ("inf", "a,b\n1,2\n3,-inf\n", ["line 3", "column 'b'", "'-inf'", "finite"], []),
            ("large", "a,b\n1,2\n3,4e38\n", ["line 3", "column 'b'", "'4e38'", "float32"], []),
            ("long", f"1,2\n3,{'9' * 500}\n", ["line 2", "column 2", "float32"], []),
            ("missing", "a,b\n1,2\n,4\nNA,?\n", ["3 values", "2 in column 'a', the first in line 3",
                                                "1 in column 'b', the first in line 4"], []),
            ("no_mean", "a,b\n1,NA\n2,NA\n", ["column 'b'", "mean"], ["--missing", "mean"]),
            ("words", "1,x\n" + "1,".join(["", *many.splitlines(True)]),
             ["line 1001", "column 2", "'w999'", "1,000"], []),
            ("odd", ages.replace("\n700\n", "\n7oo\n"), ["line 702", "column 'age'", "'7oo'"], []),
            ("latin", b"a,b\n1,gr\xfcn\n", ["line 2", "column 'b'", "UTF-8"], []),
            ("novel", "a,b\n1," + "x" * 2000 + "\n", ["line 2", "column 'b'", "2000 bytes"], []),
            ("pixel", "1,2\n3,256\n", ["line 2", "column 2", "'256'", "pixel"], ["--pixels", "1x2"]),
            ("half_pixel", "1,2\n3,0.5\n", ["line 2", "'0.5'", "pixel"], ["--pixels", "2x1"]),
            ("pixels", "1,2,3\n", ["3 numbers", "2x2"], ["--pixels", "2x2"]),
            ("share", "1,2\n3,4\n", ["2 samples", "0.1"], ["--test-share", "0.1"])))

    def test_labels_of_tables_that_are_wrong(self):
        self.refuse_tables((
            ("below", "1,0\n2,-2\n", ["line 2", "column 2", "-2"], ["--label", "2"]),
            ("start", "1,1\n2,0\n", ["line 2", "is 0", "[1, "],
             ["--label", "2", "--labels-start-at", "1"]),
            ("classes", "1,1\n2,5\n", ["line 2", "is 5", "[0, 5)"], ["--label", "2", "--classes", "5"]),
            ("large_label", "1,70000\n2,5\n", ["line 1", "70000"], ["--label", "2"]),
            ("word_classes", "1,a\n2,b\n", ["2 names", "5 classes"], ["--label", "2", "--classes", "5"]),
            ("no_labels", "1,NA\n2,\n", ["column 2", "no label"], ["--label", "2"])))

    def test_test_tables_that_do_not_go_with_the_training_table(self):
        self.table("train.csv", "a,colour,y\n1,red,no\n2,blue,yes\n")
        cases = (("word", "a,colour,y\n1,red,no\n3,green,no\n", ["line 3", "'colour'", "'green'"]),
                 ("number", "a,colour,y\nx,red,no\n", ["line 2", "column 'a'", "'x'"]),
                 ("class", "a,colour,y\n1,red,maybe\n", ["line 2", "column 'y'", "'maybe'"]),
                 ("lacks", "a,y\n1,no\n", ["no column 'colour'", "train.csv"]),
                 ("more", "a,colour,y,id\n1,red,no,7\n", ["column 'id'", "--ignore"]),
                 ("narrow", "1\n2\n", ["1 column", "train.csv"]),
                 ("gap", "a,colour,y\n,red,no\n", ["1 value is missing", "column 'a'", "line 2"]),
                 ("infinite", "a,colour,y\ninf,red,no\n", ["line 2", "'inf'"]),
                 ("none", "a,colour,y\n", ["no rows"]))
        self.assert_refused(
            *((UNSUITABLE, [f"'{self.table(f'test_{name}.csv', text)}'", *words],
               ["import", "--csv", "train.csv", "--test-csv", f"test_{name}.csv", "--label", "y",
                "--output", "there.h5", "--force"]) for name, text, words in cases),
            (MISSING, ["absent.csv"], ["import", "--csv", "absent.csv", "--output", "new.h5"]),
            (OUTPUT, ["train.csv", "it is read"],
             ["import", "--csv", "train.csv", "--output", "train.csv", "--force"]))

    # NumPy's arrays.

    def test_arrays_of_numpy_that_are_wrong(self):
        x = np.arange(12.0).reshape(4, 3)
        arrays = {"fine": x, "flat": x[0], "deep": np.zeros((2, 2, 2, 2)), "none": x[:0],
                  "nan": np.where(x == 5, np.nan, x), "inf": np.where(x == 5, -np.inf, x),
                  "wide": np.where(x == 5, 1e300, x), "complex": x * 1j, "text": x.astype("U3"),
                  "objects": x.astype(object), "records": np.zeros(3, "f4,i4"),
                  "order": np.asfortranarray(np.zeros((2, 3, 4))),
                  "y": np.arange(4), "fewer": np.arange(3), "half": np.arange(4) / 2,
                  "below": np.arange(4) - 2, "large": np.arange(4) * 30000,
                  "hot": np.eye(4)[:, :3] * 2, "two_hot": np.ones((4, 3)), "grey": np.arange(4) * 100}
        for name, array in arrays.items():
            np.save(self.folder / f"{name}.npy", array, allow_pickle=True)
        np.savez_compressed(self.folder / "packed.npz", x=np.asfortranarray(x), odd=x)
        np.savez(self.folder / "names.npz", one=x, two=x)
        whole = (self.folder / "fine.npy").read_bytes()
        archive = (self.folder / "names.npz").read_bytes()
        damaged = {"cut.npy": whole[:-5], "longer.npy": whole + b"x", "head.npy": whole[:20],
                   "magic.npy": b"x" + whole[1:], "version.npy": whole[:6] + b"\7" + whole[7:],
                   "shape.npy": whole.replace(b"(4, 3)", b"(9, 9)"),
                   "key.npy": whole.replace(b"shape", b"shave"), "cut.npz": archive[:-30],
                   "flip.npz": flipped(archive, archive.index(x.tobytes()) + 3)}
        for name, data in damaged.items():
            (self.folder / name).write_bytes(data)

        def refused(name, words, *options, code=UNSUITABLE):
            return code, words, ["import", "--npy", name, "--output", "new.h5", *options]

        def labels(name, words, *options):
            return refused("fine.npy", words, "--labels", f"{name}.npy", *options)

        self.assert_refused(
            refused("flat.npy", ["'flat.npy'", "(3)"]), refused("deep.npy", ["(2, 2, 2, 2)"]),
            refused("none.npy", ["no samples"]),
            refused("nan.npy", ["feature 2 of sample 1 is nan", "--missing"]),
            refused("inf.npy", ["feature 2 of sample 1 is -inf"]),
            refused("wide.npy", ["feature 2 of sample 1 is 1e+300", "float32"]),
            refused("complex.npy", ["complex.npy", "c16"]), refused("text.npy", ["text"]),
            refused("objects.npy", ["objects"]), refused("records.npy", ["records"]),
            refused("order.npy", ["Fortran", "ascontiguousarray"]),
            refused("packed.npz", ["x in 'packed.npz'", "Fortran", "ascontiguousarray"]),
            refused("names.npz", ["no array", "one, two"]),
            refused("names.npz:three", ["'three'", "one, two"]),
            refused("fine.npy", ["3x4"], "--pixels", "3x4"),
            refused("cut.npy", ["cut.npy", "(4, 3)"]), refused("longer.npy", ["more follows"]),
            refused("head.npy", ["too early"]), refused("magic.npy", ["no array of NumPy"]),
            refused("version.npy", ["version 7"]), refused("shape.npy", ["(9, 9)"]),
            refused("key.npy", ["'shave'"]), refused("cut.npz", ["zip archive"]),
            refused("flip.npz:one", ["'one.npy'", "check sum"]),
            refused("absent.npy", ["absent.npy"], code=MISSING),
            labels("fewer", ["(3)", "4 images"]), labels("half", ["sample 1 is 0.5"]),
            labels("below", ["sample 0 is -2"]), labels("large", ["sample 3 is 90000"]),
            labels("hot", ["sample 0 holds 2 in column 0"]),
            labels("two_hot", ["sample 0 holds 1 in column 1"]),
            labels("y", ["sample 0 is 0", "[1, "], "--labels-start-at", 1),
            labels("text", ["text.npy", "text"]))

    def test_more_arrays_of_hdf5_that_are_wrong(self):
        with h5py.File(self.folder / "more.h5", "w") as file:
            file["sparse/data"], file["sparse/indices"] = np.ones(3), np.arange(3)
            file["sparse/indptr"] = np.arange(4)
            file["x"], file["y"] = np.ones((4, 3)), np.arange(4)
            file["channels"], file["text"] = np.ones((4, 3, 2, 2)), np.array([[b"a"]] * 4)
            file["wide"], file["row"] = np.full((4, 3), 1e39), np.arange(3)
            file["bytes"] = np.full((4, 4), 300)

        def refused(x, y, words, *options):
            labels = ["--train-labels", y] if y else []
            return UNSUITABLE, ["more.h5", *words], [
                "import", "--hdf5", "more.h5", "--train-images", x, "--output", "new.h5", *labels,
                *options]

        self.assert_refused(
            refused("sparse", "", ["sparse matrix", "toarray"]),
            refused("sparse/absent", "", ["no such array"]), refused("text", "", ["not numbers"]),
            refused("channels", "", ["(4, 3, 2, 2)"]), refused("x", "row", ["(3)", "4 images"]),
            refused("wide", "", ["feature 0 of sample 0 is 1e+39", "float32"]),
            refused("x", "y", ["(4)", "3 images"], "--transpose"),
            refused("bytes", "", ["feature 0 of sample 0 is 300", "[0, 255]"], "--pixels", "2x2"))


if __name__ == "__main__":
    unittest.main()

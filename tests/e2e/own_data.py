"""Tables and arrays of every kind become data sets, which h5py reads back with equal values."""

import gzip
import unittest

import h5py
import numpy as np

from sae_program import ProgramTest, on_a_terminal, command_line


class OwnData(ProgramTest):
    def imported(self, *arguments, output="new.h5"):
        """All arrays of the data set that the import writes, by their path, and its attributes."""
        self.run_program("import", "--output", output, "--force", *arguments)
        found = {}
        with h5py.File(self.folder / output) as file:
            file.visititems(lambda name, item: found.update({name: item[()]})
                            if isinstance(item, h5py.Dataset) else None)
            found.update(file.attrs)
        for names in ("class_names", "feature_names"):
            if names in found:
                found[names] = [name.decode() for name in found[names]]
        return found

    def table(self, name, text):
        data = text if isinstance(text, bytes) else text.encode()
        (self.folder / name).write_bytes(data)
        return name

    def saved(self, name, array):
        np.save(self.folder / name, array)
        return name

    def assert_rows(self, found, expected):
        np.testing.assert_array_equal(found, np.array(expected, np.float32))

    # Tables.

    def test_numbers_are_the_nearest_floats(self):
        random = np.random.default_rng(1)
        values = (random.standard_normal((200, 5)) * 10.0 ** random.integers(-30, 30, (200, 5)))
        values = values.astype(np.float32)
        text = "\n".join(",".join(str(value) for value in row) for row in values)
        found = self.imported("--csv", self.table("numbers.csv", text))
        np.testing.assert_array_equal(found["train/images"], values)
        self.assertNotIn("feature_names", found)
        self.assertNotIn("train/labels", found)
        self.assertEqual((found["version"], found["classes"]), (2, 0))

    def test_columns_of_words_become_features(self):
        text = 'age;colour;height;who\n23;red; 1.5;yes\n44;"gr;""ün";+3;no\r\n51;red;-4e2;\n'
        for data in (text.encode(), b"\xef\xbb\xbf" + text.encode(), gzip.compress(text.encode())):
            found = self.imported("--csv", self.table("words.csv", data), "--label", "who")
            self.assertEqual(found["feature_names"], ["age", 'colour=gr;"ün', "colour=red", "height"])
            self.assertEqual(found["class_names"], ["no", "yes"])
            self.assert_rows(found["train/images"], [[23, 0, 1, 1.5], [44, 1, 0, 3], [51, 0, 1, -400]])
            np.testing.assert_array_equal(found["train/labels"], [1, 0, -1])

    def test_numbers_beside_words_are_words(self):
        found = self.imported("--csv", self.table("mixed.csv", "a,size\n1,10\n2,XL\n3,8\n4,10\n"))
        self.assertEqual(found["feature_names"], ["a", "size=10", "size=8", "size=XL"])
        self.assert_rows(found["train/images"],
                         [[1, 1, 0, 0], [2, 0, 0, 1], [3, 0, 1, 0], [4, 1, 0, 0]])

    def test_labels(self):
        for labels, options, expected, classes, names in (
                ("3 7 9", [], [3, 7, 9], 10, None),
                ("1.0 2.0 NA", ["--labels-start-at", 1], [0, 1, -1], 2, None),
                ("-1 1 1", [], [0, 1, 1], 2, ["-1", "1"]),
                ("-1 1 0", [], [-1, 1, 0], 2, None),
                ("-1 1 0", ["--labels-start-at", -1], [0, 2, 1], 3, None),
                ("0.5 1.5 0.5", [], [0, 1, 0], 2, ["0.5", "1.5"]),
                ("b 1 NaN", [], [1, 0, -1], 2, ["1", "b"])):
            with self.subTest(labels):
                rows = "".join(f"1,{label}\n" for label in labels.split())
                found = self.imported("--csv", self.table("labels.csv", "x,y\n" + rows),
                                      "--label", "2", *options)
                np.testing.assert_array_equal(found["train/labels"], expected)
                self.assertEqual(found["classes"], classes)
                self.assertEqual(found.get("class_names"), names)

    def test_missing_values(self):
        train = self.table("train.csv", "a,b,c\n1,x,4\n,x,NA\n3,?,8\n")
        test = self.table("test.csv", "c,b,a\nnull,,\n1,x,2\n")
        found = self.imported("--csv", train, "--test-csv", test, "--missing", "mean")
        self.assertEqual(found["feature_names"], ["a", "b=x", "c"])
        self.assert_rows(found["train/images"], [[1, 1, 4], [2, 1, 6], [3, 0, 8]])
        # The test table has its columns in another order, and takes the means of the training one.
        self.assert_rows(found["test/images"], [[2, 0, 6], [2, 1, 1]])
        found = self.imported("--csv", train, "--missing", "zero")
        self.assert_rows(found["train/images"], [[1, 1, 4], [0, 1, 0], [3, 0, 8]])

    def test_test_table_may_lack_the_label_and_have_another_order(self):
        train = self.table("train.csv", "y,a,b\n0,1,2\n1,3,4\n")
        test = self.table("test.csv", "b,id,a\n5,77,6\n")
        found = self.imported("--csv", train, "--test-csv", test, "--label", "y", "--ignore", "id")
        self.assertEqual(found["feature_names"], ["a", "b"])
        self.assert_rows(found["train/images"], [[1, 2], [3, 4]])
        self.assert_rows(found["test/images"], [[6, 5]])
        self.assertNotIn("test/labels", found)

    def test_separators_headers_and_ignored_columns(self):
        for text, options in (("1 2  3\n4 5 6\n", ["--ignore", "2"]),
                              ("9\t1\t9\t3\n9\t4\t9\t6", ["--ignore", "1", "3"]),
                              ("1:3\n4:6\n", ["--separator", ":"]),
                              ("0,1\n1,3\n4,6\n", ["--header", "yes"])):
            found = self.imported("--csv", self.table("any.csv", text), *options)
            self.assert_rows(found["train/images"], [[1, 3], [4, 6]])

    def test_pixels_of_a_table_become_bytes(self):
        images = np.random.default_rng(2).integers(256, size=(7, 3, 4))
        rows = "".join(f"{i % 2}," + ",".join(map(str, image.ravel())) + "\n"
                       for i, image in enumerate(images))
        header = "label," + ",".join(f"pixel{i}" for i in range(12)) + "\n"
        found = self.imported("--csv", self.table("pixels.csv", header + rows), "--label", "label",
                              "--pixels", "3x4")
        self.assertEqual(found["train/images"].dtype, np.uint8)
        np.testing.assert_array_equal(found["train/images"], images)
        self.assertEqual(found["version"], 1)

    def test_blocks_and_threads_leave_no_trace(self):
        """A table of several blocks, with quotes and words, on one and two threads."""
        random = np.random.default_rng(3)
        values = random.standard_normal((60_000, 12)).astype(np.float32)
        kinds = random.integers(3, size=len(values))
        lines = [f"k,{','.join(f'v{i}' for i in range(12))}"]
        lines += [f'"kind\n{kind}' + '",' + ",".join(map(str, row))
                  for kind, row in zip(kinds, values)]
        text = "\n".join(lines).replace('"kind\n', '"kind ')
        table = self.table("large.csv", text)
        for threads in ("1", "2"):
            self.run_program("import", "--csv", table, "--label", "k", "--output", f"{threads}.h5",
                             "--name", "same", environment={"OMP_NUM_THREADS": threads})
        self.assertEqual((self.folder / "1.h5").read_bytes(), (self.folder / "2.h5").read_bytes())
        with h5py.File(self.folder / "1.h5") as file:
            np.testing.assert_array_equal(file["train/images"], values)
            np.testing.assert_array_equal(file["train/labels"], kinds)

    def test_a_share_is_drawn_for_the_test(self):
        rows = "".join(f"{i},{i % 3}\n" for i in range(100))
        table = self.table("share.csv", rows)
        x = self.saved("share.npy", np.arange(100.0)[:, None])
        y = self.saved("share_y.npy", np.arange(100) % 3)
        seen = set()
        for seed in (1, 2):
            drawn = []
            for source in (["--csv", table, "--label", 2], ["--npy", x, "--labels", y]):
                found = self.imported(*source, "--test-share", 0.2, "--seed", seed)
                train, test = found["train/images"][:, 0], found["test/images"][:, 0]
                self.assertEqual((len(train), len(test)), (80, 20))
                self.assertEqual(sorted([*train, *test]), list(range(100)))
                for split, values in (("train", train), ("test", test)):
                    np.testing.assert_array_equal(found[f"{split}/labels"], values % 3)
                    self.assertEqual(list(values), sorted(values))
                drawn.append(tuple(test))
            self.assertEqual(*drawn)
            seen.add(drawn[0])
        self.assertEqual(len(seen), 2)

    def test_means_are_of_the_training_samples_alone(self):
        values = np.arange(50.0)
        values[::5] = np.nan
        x = self.saved("gaps.npy", values[:, None])
        table = self.table("gaps.csv", "\n".join(map(str, values)))
        for source in (["--npy", x], ["--csv", table, "--header", "no"]):
            found = self.imported(*source, "--test-share", 0.3, "--missing", "mean")
            gaps = np.concatenate([found[f"{split}/images"][:, 0] for split in ("train", "test")])
            train = found["train/images"][:, 0]
            mean = np.float32(np.mean([v for v in train if v in values], dtype=np.float64))
            self.assertEqual(sum(gaps == mean), 10)

    # Arrays of NumPy.

    def test_types_of_numpy(self):
        values = np.arange(-6, 18).reshape(4, 6)
        for dtype in ("?", "i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "<u2", ">u4", "<u8",
                      "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
            array = (np.abs(values) if "u" in dtype else values).astype(dtype)
            array = array / np.array(4, array.dtype) if array.dtype.kind == "f" else array
            for order in "CF" if "8" in dtype else "C":
                found = self.imported("--npy", self.saved("x.npy", np.array(array, dtype, order=order)))
                self.assertEqual(found["train/images"].dtype, np.float32, dtype)
                np.testing.assert_array_equal(found["train/images"], array.astype(np.float32), dtype)
        found = self.imported("--npy", self.saved("x.npy", np.abs(values).astype("u1")))
        self.assertEqual(found["train/images"].dtype, np.uint8)

    def test_shapes_and_versions_of_numpy(self):
        images = np.random.default_rng(4).integers(256, size=(5, 3, 4)).astype(np.uint8)
        for shape in ((5, 3, 4), (5, 1, 3, 4), (5, 3, 4, 1)):
            for version in ((1, 0), (2, 0), (3, 0)):
                with open(self.folder / "x.npy", "wb") as file:
                    np.lib.format.write_array(file, images.reshape(shape), version)
                found = self.imported("--npy", "x.npy")
                np.testing.assert_array_equal(found["train/images"], images)
        with gzip.open(self.folder / "x.npy.gz", "wb") as file:
            np.save(file, images.reshape(5, 12))
        found = self.imported("--npy", "x.npy.gz", "--pixels", "3x4")
        np.testing.assert_array_equal(found["train/images"], images)

    def test_labels_of_numpy(self):
        x = self.saved("x.npy", np.ones((4, 2)))
        labels = np.array([2, 0, 1, 2])
        for array, start in ((labels, 0), (labels.astype(">f4"), 0), (np.eye(3)[labels], 0),
                             (np.eye(3, dtype=bool)[labels], 0), (labels[:, None] + 1, 1)):
            found = self.imported("--npy", x, "--labels", self.saved("y.npy", array),
                                  "--labels-start-at", start)
            np.testing.assert_array_equal(found["train/labels"], labels)
            self.assertEqual(found["classes"], 3)
        found = self.imported("--npy", x, "--labels", self.saved("y.npy", np.array([1, np.nan, -1, 0])))
        np.testing.assert_array_equal(found["train/labels"], [1, -1, -1, 0])

    def test_archives_of_numpy(self):
        x, y = np.random.default_rng(5).standard_normal((30, 7)), np.arange(30) % 4
        for save in (np.savez, np.savez_compressed):
            save(self.folder / "usual.npz", x_train=x[:20], y_train=y[:20], x_test=x[20:], y_test=y[20:])
            found = self.imported("--npy", "usual.npz")
            for split, part in (("train", slice(20)), ("test", slice(20, 30))):
                np.testing.assert_array_equal(found[f"{split}/images"], x[part].astype(np.float32))
                np.testing.assert_array_equal(found[f"{split}/labels"], y[part])
            save(self.folder / "other.npz", values=x, kinds=y, more=np.asfortranarray(x))
            found = self.imported("--npy", "other.npz:values", "--labels", "other.npz:kinds")
            np.testing.assert_array_equal(found["train/images"], x.astype(np.float32))
            np.testing.assert_array_equal(found["train/labels"], y)
        np.savez(self.folder / "short.npz", X=np.asfortranarray(x), y=y)
        found = self.imported("--npy", "short.npz", "--test-npy", "short.npz")
        np.testing.assert_array_equal(found["test/images"], x.astype(np.float32))
        np.testing.assert_array_equal(found["test/labels"], y)

    # Arrays of HDF5.

    def test_arrays_of_hdf5(self):
        random = np.random.default_rng(6)
        values = random.standard_normal((9, 4, 5))
        labels = np.arange(9) % 3
        with h5py.File(self.folder / "arrays.h5", "w") as file:
            file["double"], file["big"] = values, (100 * values).astype(">i2")
            file["channel"], file["last"] = values[:, None].astype("f4"), values[..., None]
            file["matlab"], file["flat"] = values.T, values.reshape(9, 20).T
            file["one_hot"], file["column"] = np.eye(3)[labels], labels[:, None] + 1
            file["row"] = labels[None, :]
            file.create_dataset("chunks", data=values.reshape(9, 20).T, chunks=(3, 2), compression=4)

        def imported(images, labels, *options):
            return self.imported("--hdf5", "arrays.h5", "--train-images", images, "--train-labels",
                                 labels, *options)
        for name in ("double", "channel", "last"):
            found = imported(name, "one_hot")
            np.testing.assert_array_equal(found["train/images"], values.astype(np.float32))
            np.testing.assert_array_equal(found["train/labels"], labels)
        found = imported("big", "column", "--labels-start-at", 1)
        np.testing.assert_array_equal(found["train/images"], (100 * values).astype("i2"))
        np.testing.assert_array_equal(found["train/labels"], labels)
        for name, shape in (("matlab", (9, 4, 5)), ("flat", (9, 20)), ("chunks", (9, 20))):
            found = imported(name, "row", "--transpose")
            np.testing.assert_array_equal(found["train/images"],
                                          values.reshape(shape).astype(np.float32))
            np.testing.assert_array_equal(found["train/labels"], labels)

    def test_dense_matrix_of_anndata(self):
        x = np.random.default_rng(7).random((6, 8)).astype(np.float32)
        with h5py.File(self.folder / "cells.h5ad", "w") as file:
            file["X"], file["obs/kind/codes"] = x, np.array([0, 1, -1, 1, 0, 1], np.int8)
            file["obs/kind/categories"] = ["B cell", "T cell"]
        found = self.imported("--hdf5", "cells.h5ad", "--train-images", "/X",
                              "--train-labels", "/obs/kind/codes")
        np.testing.assert_array_equal(found["train/images"], x)
        np.testing.assert_array_equal(found["train/labels"], [0, 1, -1, 1, 0, 1])
        self.assertEqual(found["class_names"], ["B cell", "T cell"])

    # What the program shows.

    def test_progress_on_a_terminal(self):
        table = self.table("shown.csv", "12.5,7\n" * 3_000_000)
        shown = on_a_terminal(command_line("import", "--csv", table, "--output", "shown.h5"),
                              self.folder)
        self.assertRegex(shown, r"importing +\[=*-*\] \d+% left")
        self.assertIn("wrote shown.h5: 3,000,000 training and 0 test samples of 2 pixels", shown)


if __name__ == "__main__":
    unittest.main()

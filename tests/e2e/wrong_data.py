"""A data set or model that is not there, is none, is damaged or does not fit is named with the
place and the fault; exit code 65, or 66 if it is missing; nothing is written."""

import shutil
import unittest

import h5py
import numpy as np

from sae_program import ProgramTest, damage, metrics_of, toy_samples, write_dataset

UNSUITABLE, MISSING = 65, 66
TRAINING, TEST, FEATURES, CLASSES = 60, 20, 30, 3


class WrongData(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "good.h5", toy_samples(TRAINING), toy_samples(TEST, seed=1),
                      CLASSES)
        cls.train("good", "--data", "good.h5", "--validation-size", 0, "--units", 5,
                  "--pretrain-epochs", 0, "--finetune-epochs", 1)
        (cls.folder / "text.h5").write_text("This is no HDF5 file.\n" * 100)
        (cls.folder / "empty.h5").touch()

    def broken(self, name, change, reals=False):
        """Name of a copy of the good data set that `change` has spoiled."""
        name += ".h5"
        path = self.folder / name
        if reals:
            samples = [((images / 255).astype(np.float32), labels) for images, labels in
                       (toy_samples(TRAINING), toy_samples(TEST, seed=1))]
            write_dataset(path, *samples, CLASSES)
        else:
            shutil.copy(self.folder / "good.h5", path)
        with h5py.File(path, "r+") as file:
            change(file)
        return name

    def truncated(self, source, name):
        data = (self.folder / source).read_bytes()
        (self.folder / name).write_bytes(data[:len(data) * 2 // 3])
        return name

    def flipped(self, source, array, row, name):
        """A copy with one bit turned over, which Fletcher32 or the seal must find."""
        shutil.copy(self.folder / source, self.folder / name)
        damage(self.folder / name, array, row)
        return name

    def data_cases(self):
        """(exit code, words, data set) of what neither training nor evaluation may take."""
        broken = self.broken
        cases = [
            (MISSING, ["No such file"], "absent.h5"),
            (MISSING, ["folder"], "."),
            (UNSUITABLE, ["HDF5"], "text.h5"),
            (UNSUITABLE, ["HDF5"], "empty.h5"),
            (UNSUITABLE, [], self.truncated("good.h5", "cut.h5")),
            (UNSUITABLE, ["/test/images"], self.flipped("good.h5", "test/images", 10, "flip.h5")),
            (UNSUITABLE, ["sae-checkpoint"], "good/model.h5"),
            (UNSUITABLE, ["format"], broken("bare", lambda f: f.attrs.pop("format"))),
            (UNSUITABLE, ["version 3"], broken("new", lambda f: f.attrs.modify("version", 3))),
            (UNSUITABLE, ["/train/images", "missing"],
             broken("no_images", lambda f: f.pop("train/images"))),
            (UNSUITABLE, ["/test/labels", "19", "20"],
             broken("counts", lambda f: replace(f, "test/labels", f["test/labels"][:19]))),
            (UNSUITABLE, ["/test/labels", "sample 7", "3"],
             broken("label", lambda f: put(f["test/labels"], 7, CLASSES))),
            (UNSUITABLE, ["/test/labels", "sample 7", "-2"],
             broken("below", lambda f: replace(f, "test/labels", -2 * (np.arange(20) == 7)))),
            (UNSUITABLE, ["/test/labels", "sample 7", "9223372036854775807 or more"],
             broken("huge", lambda f: replace(f, "test/labels",
                                              np.uint64(2**64 - 1) * (np.arange(20) == 7)))),
            (UNSUITABLE, ["/test/labels", "float"],
             broken("real_labels", lambda f: replace(f, "test/labels", np.zeros(20)))),
            (UNSUITABLE, ["/test/images", "sample 7", "feature 3", "inf"],
             broken("bright", lambda f: put(f["test/images"], (7, 3), np.inf), reals=True)),
            (UNSUITABLE, ["/test/images", "sample 7", "feature 3", "-inf"],
             broken("dark", lambda f: put(f["test/images"], (7, 3), -np.inf), reals=True)),
            (UNSUITABLE, ["/test/images", "sample 7", "feature 3", "nan"],
             broken("nan", lambda f: put(f["test/images"], (7, 3), np.nan), reals=True)),
            (UNSUITABLE, ["/train/images", "(60, 2, 3, 5)"],
             broken("4d", lambda f: replace(f, "train/images", np.zeros((60, 2, 3, 5), "u1")))),
            (UNSUITABLE, ["/test/images", "29"],
             broken("other", lambda f: replace(f, "test/images", np.zeros((20, 29), "u1")))),
            (UNSUITABLE, ["/train/images", "int64"],
             broken("int64", lambda f: replace(f, "train/images", np.zeros((60, 30), "i8")))),
            (UNSUITABLE, ["classes"], broken("none", lambda f: f.attrs.modify("classes", 0))),
            (UNSUITABLE, ["'classes'", "missing"], broken("many", lambda f: f.attrs.pop("classes"))),
            (UNSUITABLE, ["lzf", "h5repack"],
             broken("lzf", lambda f: replace(f, "test/images", f["test/images"][()],
                                             compression="lzf"))),
            (UNSUITABLE, ["/train/labels", "60", "5 images", "last dimension", "transpose"],
             broken("matlab", lambda f: replace(f, "train/images", np.zeros((5, 6, 60), "u1")))),
            # What was never written would be read as zeros.
            (UNSUITABLE, ["/train/images", "2 of its 6 chunks", "sample that is missing is 30"],
             broken("sparse", lambda f: sparse(f, "train/images"))),
            (UNSUITABLE, ["/test/images", "never written"],
             broken("unwritten", lambda f: replace(f, "test/images", None, shape=(20, 30),
                                                   dtype="u1"))),
            (UNSUITABLE, ["/test/images", "external"],
             broken("external", lambda f: replace(f, "test/images", None, shape=(20, 30), dtype="u1",
                                                  external=[("gone.raw", 0, 600)]))),
            (UNSUITABLE, ["/test/images", "'absent.h5'", "not there"],
             broken("gone", lambda f: virtual(f, "test/images", "absent.h5", (20, 30)))),
            (UNSUITABLE, ["/test/images", "'good.h5'", "/nothing"],
             broken("other_name", lambda f: virtual(f, "test/images", "good.h5", (20, 30),
                                                    array="/nothing"))),
            (UNSUITABLE, ["/test/images", "'good.h5'", "(20, 30)", "too small"],
             broken("short", lambda f: virtual(f, "test/images", "good.h5", (21, 30)))),
            (UNSUITABLE, ["/test/images", "300 of its 600 values"],
             broken("half", lambda f: virtual(f, "test/images", "good.h5", (10, 30)))),
            (UNSUITABLE, ["/test/images", "sparse.h5", "chunks were never written"],
             broken("nested", lambda f: virtual(f, "test/images", "sparse.h5", (20, 30),
                                                array="train/images"))),
        ]
        # Every sentence names the file.
        return [(code, [name, *words], name) for code, words, name in cases]

    def test_training(self):
        cases = self.data_cases()
        cases += [
            (UNSUITABLE, ["60", "--validation-size"], "good.h5", "--validation-size", 60),
            (UNSUITABLE, ["/train/labels", "nolabels.h5"],
             self.broken("nolabels", lambda f: f.pop("train/labels")), "--finetune", "classify",
             "--validation-size", 10),
            (UNSUITABLE, ["/train/labels", "59", "60"],
             self.broken("fewer", lambda f: replace(f, "train/labels", f["train/labels"][:59]))),
            (UNSUITABLE, ["/train/labels", "sample 59", "3"],
             self.broken("last", lambda f: put(f["train/labels"], 59, CLASSES))),
        ]
        self.assert_refused(*(
            (code, texts, ["--run", f"run{i}", "--units", 5, "--data", name,
                           *(options or ["--validation-size", 10])])
            for i, (code, texts, name, *options) in enumerate(cases)))

    def test_a_virtual_data_set_that_is_whole_is_read(self):
        (self.folder / "views").mkdir()
        view = self.broken("view", lambda f: virtual(f, "train/images", "good.h5", (60, 30)))
        other = self.broken("views/other", lambda f: virtual(f, "test/images", "../view.h5", (20, 30)))
        for data in (view, other):
            self.run_program("evaluate", "good/model.h5", "--data", data)
            run = f"of_{data[-8:-3]}"
            self.train(run, "--data", data, "--validation-size", 0, "--units", 5,
                       "--pretrain-epochs", 0, "--finetune-epochs", 1)
            found, expected = (metrics_of(self.folder / name)[0]["loss"] for name in (run, "good"))
            self.assertEqual(found, expected)

    def test_evaluation_of_data(self):
        self.assert_refused(*((code, texts, ["evaluate", "good/model.h5", "--data", name])
                              for code, texts, name in self.data_cases()))

    def test_evaluation_of_models(self):
        def model(name, change):
            shutil.copy(self.folder / "good/model.h5", self.folder / name)
            with h5py.File(self.folder / name, "r+") as file:
                change(file)
            return name

        cases = [
            (MISSING, ["No such file"], "absent.h5"),
            (UNSUITABLE, ["text.h5"], "text.h5"),
            (UNSUITABLE, ["neither a model"], "good.h5"),
            (UNSUITABLE, [], self.truncated("good/model.h5", "cut_model.h5")),
            (UNSUITABLE, ["digest"],
             self.flipped("good/model.h5", "model/hidden1/weights", 0, "flip_model.h5")),
            (UNSUITABLE, ["digest"],
             model("new_model.h5", lambda f: f.attrs.modify("version", 3))),
            (UNSUITABLE, ["digest"],
             model("part.h5", lambda f: f.pop("model/output/bias"))),
            (UNSUITABLE, ["digest"],
             model("shape.h5", lambda f: replace(f, "model/hidden1/bias", np.zeros(6, "f4")))),
            (UNSUITABLE, ["digest"],
             model("nan_model.h5", lambda f: put(f["model/output/bias"], 0, np.nan))),
        ]
        self.assert_refused(*((code, [name, *words], ["evaluate", name, "--data", "good.h5"])
                              for code, words, name in cases),
                            *((code, [name, *words], ["inspect", name]) for code, words, name
                              in cases if name != "good.h5"))

    def test_a_model_that_does_not_fit_the_data(self):
        write_dataset(self.folder / "wide.h5", toy_samples(9, features=33),
                      toy_samples(9, features=33), CLASSES)
        write_dataset(self.folder / "classes.h5", toy_samples(9), toy_samples(9), CLASSES + 1)
        evaluate = ["evaluate", "good/model.h5", "--data"]
        nolabels = self.broken("unlabelled", lambda f: f.pop("test/labels"))
        notest = self.broken("untested", lambda f: f.pop("test"))
        self.assert_refused(
            (UNSUITABLE, ["30", "33", "wide.h5"], [*evaluate, "wide.h5"]),
            (UNSUITABLE, ["3", "4", "classes.h5"], [*evaluate, "classes.h5"]),
            (UNSUITABLE, ["test", nolabels], [*evaluate, nolabels]),
            (UNSUITABLE, ["test", notest], [*evaluate, notest]),
            (UNSUITABLE, ["61", "60"], [*evaluate, "good.h5", "--split", "validation",
                                        "--validation-size", 61]))

    def test_inspection(self):
        (self.folder / "nothing").mkdir()
        cases = [(MISSING, "absent", "No such file"), (MISSING, "nothing", "model.h5"),
                 (UNSUITABLE, "text.h5", "HDF5"),
                 (UNSUITABLE, self.broken("imageless", lambda f: f.pop("train/images")),
                  "/train/images")]
        self.assert_refused(*((code, [name, words], ["inspect", name])
                              for code, name, words in cases))


def put(array, place, value):
    array[place] = value


def replace(file, name, values, **how):
    del file[name]
    file.create_dataset(name, data=values, **how)


def sparse(file, name):
    """Of six chunks of ten rows two are never written."""
    rows = file[name][()]
    replace(file, name, None, shape=rows.shape, dtype=rows.dtype, chunks=(10, rows.shape[1]))
    for begin in (0, 10, 20, 40):
        file[name][begin:begin + 10] = rows[begin:begin + 10]


def virtual(file, name, source, shape, array=None):
    """Its last rows are those of the source, which is said to have so many."""
    layout = h5py.VirtualLayout(file[name].shape, file[name].dtype)
    rows = min(shape[0], layout.shape[0])
    layout[:rows] = h5py.VirtualSource(source, array or name, shape=shape)[shape[0] - rows:]
    del file[name]
    file.create_virtual_dataset(name, layout)


if __name__ == "__main__":
    unittest.main()

"""What is wrong with a command line or a configuration file is said in one line, before anything is
done: exit code 64, or 66 if a file is missing."""

import unittest

from sae_program import ProgramTest, toy_samples, write_dataset

USAGE, MISSING = 64, 66

# Arguments and what the line must name; the data set and run folder are given besides.
TRAIN = [
    (["--nonsense", "1"], ["--nonsense"]),
    # No abbreviations: scripts must survive new options.
    (["--unit", "5"], ["--unit", "Did you mean --units?"]),
    (["--bacth-size", "5"], ["--bacth-size", "Did you mean --batch-size?"]),
    (["stray"], ["argument"]),
    (["--units", "0"], ["--units", "0"]),
    (["--units", "-5"], ["--units", "-5"]),
    (["--units", "20,0"], ["--units", "0"]),
    (["--units", "many"], ["--units", "'many'"]),
    (["--units", "10.5"], ["--units", "'10.5'"]),
    (["--units", ""], ["--units"]),
    (["--units"], ["--units"]),
    (["--units", "99999999999999999999"], ["--units", "99999999999999999999"]),
    (["--corruption", "1.0"], ["--corruption", "[0, 1)", "1"]),
    (["--corruption", "-0.1"], ["--corruption", "[0, 1)", "-0.1"]),
    (["--corruption", "nan"], ["--corruption", "nan"]),
    (["--corruption", "0.3x"], ["--corruption", "'0.3x'"]),
    (["--units", "9,9,9", "--corruption", ".1,.2"], ["--corruption", "2", "3"]),
    (["--units", "9,9,9", "--pretrain-epochs", "1,2"], ["--pretrain-epochs", "2", "3"]),
    (["--units", "9,9,9", "--pretrain-learning-rate", "1,2"], ["--pretrain-learning-rate"]),
    (["--corruption-at", "output"], ["--corruption-at", "'output'"]),
    (["--batch-size", "0"], ["--batch-size", "0"]),
    (["--batch-size", "ten"], ["--batch-size", "'ten'"]),
    (["--validation-size", "-1"], ["--validation-size", "-1"]),
    (["--pretrain-epochs", "-1"], ["--pretrain-epochs", "-1"]),
    (["--finetune-epochs", "-1"], ["--finetune-epochs", "-1"]),
    (["--pretrain-learning-rate", "-1"], ["--pretrain-learning-rate", "-1"]),
    (["--finetune-learning-rate", "inf"], ["--finetune-learning-rate", "inf"]),
    (["--finetune-schedule", "steep"], ["--finetune-schedule", "'steep'"]),
    (["--momentum", "1"], ["--momentum", "1"]),
    (["--weight-decay", "-1"], ["--weight-decay", "-1"]),
    (["--seed", "x"], ["--seed", "'x'"]),
    (["--seed", "-1"], ["--seed", "-1"]),
    (["--seed", "1", "--seed", "2"], ["--seed", "more than once"]),
    (["--units", "10", "--batch-size", "5", "--units", "20"], ["--units", "more than once"]),
    (["--run", "a", "--run", "b"], ["--run", "more than once"]),
    (["--quiet", "--quiet"], ["--quiet", "more than once"]),
    (["--units", "9,9", "--pretrain-learning-rate", "0,03"], ["--pretrain-learning-rate", "'0,03'", "0.5"]),
    (["--units", "9,9", "--pretrain-learning-rate", "0,5"], ["--pretrain-learning-rate", "'0,5'"]),
    (["--units", "9,9", "--pretrain-weight-decay", "0,001"], ["--pretrain-weight-decay", "'0,001'"]),
    (["--units", "1,000"], ["--units", "'1,000'"]),
    (["--finetune-learning-rate", "0,3"], ["--finetune-learning-rate", "'0,3'"]),
    (["--max-time", "1:60:x"], ["--max-time", "1:30:00", "'1:60:x'"]),
    (["--max-time", "0:00:00"], ["--max-time", "'0:00:00'"]),
    (["--data-access", "guess"], ["--data-access", "'guess'"]),
    (["--progress", "dots"], ["--progress", "'dots'"]),
]

OTHER = [
    (["fly"], ["'fly'"]),
    (["inspct", "m.h5"], ["'inspct'", "Did you mean inspect?"]),
    (["help", "inspct"], ["'inspct'", "Did you mean inspect?"]),
    (["evaluate"], ["MODEL"]),
    (["evaluate", "m.h5", "n.h5"], ["argument"]),
    (["evaluate", "m.h5", "--split", "half"], ["--split", "'half'"]),
    (["evaluate", "m.h5", "--validation-size", "-1"], ["--validation-size", "-1"]),
    (["evaluate", "m.h5", "--units", "5"], ["--units"]),
    (["inspect"], ["FILE"]),
    (["inspect", "--nonsense"], ["--nonsense"]),
    (["import"], ["--output"]),
    (["import", "--output", "o.h5"], ["--from"]),
    (["import", "--from", ".", "--train-images", "i", "--output", "o.h5"], ["--from"]),
    (["import", "--from", ".", "--classes", "-1", "--output", "o.h5"], ["--classes", "-1"]),
    (["import", "--csv", "a", "--npy", "b", "--output", "o.h5"], ["--csv", "--npy"]),
    (["import", "--npy", "a", "--label", "b", "--output", "o.h5"], ["--label", "--npy"]),
    (["import", "--csv", "a", "--train-images", "b", "--output", "o.h5"], ["--train-images", "--csv"]),
    (["import", "--hdf5", "a", "--output", "o.h5"], ["--train-images"]),
    (["import", "--csv", "a", "--test-csv", "b", "--test-share", "0.1", "--output", "o.h5"],
     ["--test-share"]),
    (["import", "--csv", "a", "--test-share", "1", "--output", "o.h5"], ["--test-share", "1"]),
    (["import", "--csv", "a", "--seed", "3", "--output", "o.h5"], ["--seed", "--test-share"]),
    (["import", "--csv", "a", "--missing", "median", "--output", "o.h5"], ["--missing", "median"]),
    (["import", "--csv", "a", "--header", "maybe", "--output", "o.h5"], ["--header", "maybe"]),
    (["import", "--csv", "a", "--separator", "ab", "--output", "o.h5"], ["--separator", "ab"]),
    (["import", "--csv", "a", "--pixels", "28", "--output", "o.h5"], ["--pixels", "28"]),
]

# Lines of a configuration file.
CONFIGURATION = [
    ("units=20\nthis is no setting\n", ["wrong", "line 2", "this is no setting"]),
    ("unitz=20\n", ["wrong", "line 1", "unitz", "Did you mean units?"]),
    ("units=20\n# Again:\nunits=30\n", ["wrong", "units", "more than once"]),
    ('data="a" b\n', ["wrong", "line 1", "closing quote"]),
    ("batch-size=ten\n", ["wrong", "batch-size", "'ten'"]),
    ("corruption=1.5\n", ["--corruption", "1.5"]),
]


class WrongOptions(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_dataset(cls.folder / "data.h5", toy_samples(20), toy_samples(5), classes=3)

    def training(self, code, texts, arguments):
        """A case of training that would be in order without `arguments`."""
        self.cases = getattr(self, "cases", 0) + 1
        for name, value in {"--data": "data.h5", "--run": f"run{self.cases}",
                            "--validation-size": 0, "--units": 5}.items():
            if name not in arguments:
                arguments = [*arguments, name, value]
        return code, texts, ["train", *arguments]

    def test_options_of_training(self):
        self.assert_refused(*(self.training(USAGE, texts, arguments) for arguments, texts in TRAIN))

    def test_other_commands(self):
        self.assert_refused(*((USAGE, texts, arguments) for arguments, texts in OTHER))

    def test_lines_of_a_configuration_file(self):
        cases = []
        for number, (text, parts) in enumerate(CONFIGURATION):
            (self.folder / f"wrong{number}.cfg").write_text(text)
            cases.append(self.training(USAGE, parts, ["--config", f"wrong{number}.cfg"]))
        self.assert_refused(*cases)

    def test_a_missing_configuration_or_recipe(self):
        self.assert_refused(self.training(MISSING, ["absent.cfg"], ["--config", "absent.cfg"]),
                            self.training(MISSING, ["."], ["--config", "."]),
                            self.training(MISSING, ["absent"], ["--recipe", "absent"]),
                            self.training(MISSING, ["'quik'", "Did you mean quick?"], ["--recipe", "quik"]))

    def test_three_ranks_say_it_once(self):
        self.assert_refused(self.training(USAGE, ["--nonsense"], ["--nonsense"]),
                            self.training(USAGE, ["--units"], ["--units", "0"]),
                            self.training(MISSING, ["absent.cfg"], ["--config", "absent.cfg"]),
                            (USAGE, ["'fly'"], ["fly"]), ranks=3, within=5)


if __name__ == "__main__":
    unittest.main()

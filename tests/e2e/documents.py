"""Each command of a README is run here, in a folder with small data, or stands below with the test that
runs it, or with the reason why no test can. The options and links of these documents exist."""

import concurrent.futures
import gzip
import pathlib
import re
import shutil
import struct
import unittest

import h5py
import numpy as np

from sae_program import PROGRAM, SOURCE_DIR, ProgramTest, mnist_subset

DOCUMENTS = sorted(path.relative_to(SOURCE_DIR) for pattern in ("README.md", "*/README.md", "tests/*/README.md")
                   for path in SOURCE_DIR.glob(pattern))
LINES_OF_THE_FRONT_PAGE = 120

# How commands begin that are not run here. A path: the test that runs them; else why they cannot run.
NOT_HERE = {
    "cluster/quickstart.sh": "tests/fresh_machine.sh",
    "sbatch ": "tests/cluster/slurm_jobs.py",
    "VARY=recipe ": "tests/cluster/slurm_jobs.py",
    ". slurm/site.conf": "tests/cluster/slurm_jobs.py",
    "SLURM_PMIX_FENCE=ring srun ": "tests/cluster/slurm_jobs.py",
    "sae_dist report runs/sweep-": "tests/e2e/comparison.py",
    "cluster/slurm-cluster ": "tests/cluster/slurm_cluster.py",
    "cluster/netns-cluster ": "tests/cluster/plain_hosts.py",
    "cmake --preset package ": "tests/package/debian.sh",
    "cpack ": "tests/package/debian.sh",
    "apt-get install ./build/package/": "tests/package/debian.sh",
    "module ": "tests/scripts/modulefile.bats",
    "tensorboard ": "tests/e2e/tensorboard.py",
    "git archive HEAD | docker ": "needs Docker",
    "docker ": "needs Docker",
    "apptainer ": "needs Apptainer",
    "mpirun -np 4 apptainer ": "needs Apptainer",
    "python3 -m venv torch": "installs gigabytes from PyPI",
    "torch/bin/": "installs gigabytes from PyPI",
    "tests/bench/slow_network.py ": "needs root and the machine for itself",
    "sae_dist --data data.h5 SETTINGS ": "is never repeated",
}
# Words of blocks of Python, and the test that runs them.
PYTHON = {"labels = (h @": "tests/e2e/python_readers.py", 'h5py.File("codes.h5")': "tests/e2e/python_readers.py",
          "DictReader": "tests/e2e/tables.py", "onnxruntime": "tests/e2e/onnx.py",
          "from sae_dist import Model": "tests/e2e/python_module.py"}
# The program, with options that make it short.
SHORT = f"""#!/bin/sh
case " $* " in
  *" --finetune-epochs "*) ;;
  " --"*) set -- "$@" --finetune-epochs 1 ;;
  " import "*) set -- "$@" --force ;;
  " bench "*) set -- "$@" --steps-only --seconds 0.01 ;;
esac
exec '{PROGRAM}' "$@"
"""
MORE = {"/usr/bin/python3 tests/bench/inference.py ": " --samples 300 --rounds 1 --units 20"}
# Options of other programs: mpirun, sbatch, srun, docker, cmake, ctest, bats and the like.
FOREIGN = {"--bind-to", "--cpu-bind", "--cpus-per-task", "--exclusive", "--array", "--install", "--logdir", "--map-by",
           "--mpi", "--nodes", "--ntasks", "--ntasks-per-node", "--oversubscribe", "--rm", "--shm-size", "--signal",
           "--hostfile", "--prefix"}


def blocks_of(document):
    """(language, text) of each block between ``` marks."""
    return re.findall(r"^ *```(\w*)\n(.*?)^ *```$", (SOURCE_DIR / document).read_text(), re.MULTILINE | re.DOTALL)


def commands_of(document):
    """Each command of a block marked sh, in one line, without a comment behind it."""
    texts = "".join(text.replace("\\\n", " ") for language, text in blocks_of(document) if language == "sh")
    commands = (re.sub(r"\s+#.*", "", " ".join(line.split())) for line in texts.splitlines())
    return [command for command in commands if command]


def prose_of(document):
    return re.sub(r"^ *```.*?^ *```$", "", (SOURCE_DIR / document).read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors_of(document):
    headings = re.findall(r"^#+ (.*)", prose_of(document), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


# Data as the commands expect them.

def idx(values):
    return b"\0\0\x08" + struct.pack(f">B{values.ndim}I", values.ndim, *values.shape) + values.tobytes()


def write_idx(folder, prefix="", zipped=""):
    folder.mkdir(exist_ok=True)
    for split, count in (("train", 40), ("t10k" if not prefix else "test", 10)):
        for kind, values in (("images-idx3", np.arange(count * 784).reshape(count, 28, 28) % 251),
                             ("labels-idx1", np.arange(count) % 3 + 1)):
            data = idx(values.astype(np.uint8))
            name = f"{prefix}{split}-{kind}-ubyte{zipped}"
            (folder / name).write_bytes(gzip.compress(data) if zipped else data)


def write_table(path, rows, seed, labels=True):
    random = np.random.default_rng(seed)
    species = random.integers(3, size=rows)
    values = random.normal(species[:, None] * [4, 1], 1)
    lines = ["id,name,length,width,species"]
    for i in range(rows):
        lines.append(f"{i},{'abcd'[i % 4]},{values[i, 0]:.3f},{values[i, 1]:.3f},{['elm', 'fir', 'oak'][species[i]]}")
    path.write_text("".join((line if labels else line.rpartition(",")[0]) + "\n" for line in lines))


def write_data(folder):
    (folder / "data").mkdir()
    mnist_subset(folder / "data/mnist.h5", train=300, test=50)
    write_table(folder / "train.csv", 200, 1)
    write_table(folder / "test.csv", 50, 2)
    write_table(folder / "new.csv", 9, 3, labels=False)
    pixels = "\n".join(",".join(map(str, [i % 10, *((np.arange(784) * (i + 1)) % 256)])) for i in range(30))
    header = ",".join(["label", *(f"p{i}" for i in range(784))])
    (folder / "digits.csv.gz").write_bytes(gzip.compress(f"{header}\n{pixels}\n".encode()))
    x, y = np.random.default_rng(3).random((30, 6)).astype(np.float32), np.arange(30) % 3
    for name, values in (("x", x), ("y", y), ("x2", x[:9]), ("y2", y[:9])):
        np.save(folder / f"{name}.npy", values)
    np.savez(folder / "mnist.npz", x_train=x, y_train=y, x_test=x[:9], y_test=y[:9])
    np.savez(folder / "data.npz", features=x, kinds=y)
    for name, arrays in (("other.h5", {"x": x, "y": y}), ("matlab.mat", {"X": x.T, "y": y[None] + 1}),
                         ("cells.h5ad", {"X": x, "obs/cell_type/codes": y,
                                         "obs/cell_type/categories": ["B", "NK", "T"]})):
        with h5py.File(folder / name, "w") as file:
            for path, values in arrays.items():
                file[path] = values
    for name in ("fashion", "FOLDER"):
        write_idx(folder / name)
    write_idx(folder / "gzip", "emnist-letters-", ".gz")
    for name, kind in (("a.gz", "images-idx3"), ("b.gz", "labels-idx1")):
        shutil.copy(folder / f"gzip/emnist-letters-train-{kind}-ubyte.gz", folder / name)
    (folder / "hosts").write_text("localhost slots=4\n")


class Documents(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bin = cls.script("bin/sae_dist", SHORT).parent

    def folder_of(self, document):
        """A folder as the document's reader has it: sources, a build and the data that it speaks of."""
        folder = self.folder / str(document).replace("/", "-")
        folder.mkdir()
        for name in ("cluster", "slurm", "tests"):
            (folder / name).symlink_to(SOURCE_DIR / name)
        build = folder / "build/release/src"
        build.mkdir(parents=True)
        (build / "sae_dist").symlink_to(self.bin / "sae_dist")
        write_data(folder)
        return folder

    def run_command(self, command, folder):
        if "--max-time" in command:  # With so little data it may end before.
            command += " || [ $? -eq 75 ]"
        self.run_program("-c", f'PATH={self.bin}:"$PATH"; {command}', program="bash", folder=folder)

    def run_commands(self, document):
        """Those that do not stand in NOT_HERE, in turn. Returns what those that failed printed."""
        commands = [command for command in commands_of(document) if not command.startswith(tuple(NOT_HERE))]
        if not commands:
            return []
        folder = self.folder_of(document)
        failures = []
        for command in commands:
            try:
                if "model.h5" in command and not (folder / "model.h5").exists():
                    self.run_command("sae_dist --units 20 --run prepared && cp prepared/model.h5 .", folder)
                self.run_command(command + MORE.get(command.partition("--")[0], ""), folder)
            except AssertionError as error:
                failures.append(f"{document}: {error}")
        return failures

    def test_commands_run(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:  # Each mostly waits for programs to start.
            failures = [failure for found in pool.map(self.run_commands, DOCUMENTS) for failure in found]
        self.assertEqual(failures, [], "\n".join(failures))

    def test_the_list_of_other_commands_is_short(self):
        commands = [command for document in DOCUMENTS for command in commands_of(document)]
        for words in NOT_HERE:
            self.assertTrue(any(command.startswith(words) for command in commands), f"no document has {words}")

    def test_other_tests_are_there(self):
        for place in [*NOT_HERE.values(), *PYTHON.values()]:
            if place.startswith("tests/"):
                self.assertTrue((SOURCE_DIR / place).exists(), place)

    def test_blocks_of_python_run(self):
        for document in DOCUMENTS:
            for language, text in blocks_of(document):
                if language != "python" or any(words in text for words in PYTHON):
                    continue
                with self.subTest(document=str(document)):
                    path = self.folder / "my.h5"
                    images, labels = np.zeros((20, 4, 5), np.uint8), np.arange(20) % 10
                    exec(text.replace("my.h5", str(path)), {"h5py": h5py, "images": images, "labels": labels})
                    self.assertIn("20 samples", self.run_program("inspect", path))

    def test_blocks_say_what_they_hold(self):
        for document in DOCUMENTS:
            for language, text in blocks_of(document):
                self.assertIn(language, ("sh", "text", "python"), f"{document}: {text}")
            self.assertNotRegex(prose_of(document), r"\n\n(    |\t)\S", f"{document}: a block without ``` marks")

    def test_options_are_there(self):
        commands = ["train", "bench", "evaluate", "predict", "encode", "reconstruct", "score", "export", "import",
                    "inspect", "report", "doctor"]
        told = "".join(self.run_program(command, "--help-all") for command in commands)
        scripts = (*SOURCE_DIR.glob("cluster/*.sh"), *SOURCE_DIR.glob("tests/bench/*.py"))
        told += "".join(path.read_text() for path in scripts)
        known = {*re.findall(r"--[a-z][a-z0-9-]*", told), *FOREIGN}
        for document in DOCUMENTS:
            code = "\n".join([*re.findall(r"`[^`]+`", prose_of(document)), *commands_of(document)])
            unknown = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", code)) - known
            self.assertEqual(unknown, set(), document)

    def test_links_lead_somewhere(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(document)):
                if target.startswith("https://"):
                    continue
                path, _, anchor = target.partition("#")
                file = (SOURCE_DIR / document).parent / path if path else SOURCE_DIR / document
                self.assertTrue(file.exists(), f"{document}: {target}")
                if anchor:
                    found = anchors_of(pathlib.Path(file.resolve()).relative_to(SOURCE_DIR.resolve()))
                    self.assertIn(anchor, found, f"{document}: {target}")

    def test_the_front_page_is_short(self):
        lines = (SOURCE_DIR / "README.md").read_text().count("\n")
        self.assertLessEqual(lines, LINES_OF_THE_FRONT_PAGE)


if __name__ == "__main__":
    unittest.main()

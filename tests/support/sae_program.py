"""Runs sae_dist as its users do, makes small data sets for it and reads what it writes."""

import concurrent.futures
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest
import uuid

import h5py
import numpy as np

from expect_failure import run as run_command

PROGRAM = os.environ["SAE_DIST"]
MPIEXEC = os.environ["MPIEXEC"]
SOURCE_DIR = pathlib.Path(os.environ["SAE_SOURCE_DIR"])
MNIST = SOURCE_DIR / "data" / "mnist.h5"
COLUMNS = 120  # Of the terminal of on_a_terminal.


def command_line(*arguments, ranks=0, program=PROGRAM):
    """The words that start the program; without mpirun if `ranks` is 0."""
    launcher = [MPIEXEC, "--oversubscribe", "-np", str(ranks)] if ranks > 0 else []
    return [*launcher, *map(str, [program, *arguments])]


def physical_cores():
    """Cores that this process may run on, however many hardware threads they have."""
    return len({pathlib.Path(f"/sys/devices/system/cpu/cpu{thread}/topology/thread_siblings_list")
                .read_text() for thread in os.sched_getaffinity(0)})


class Mark:
    """Sets a variable in the environment of what a test starts, so that it finds all of it again,
    whoever its parent is by then."""

    def __init__(self):
        self._text = f"SAE_TEST_MARK={uuid.uuid4().hex}"

    def environment(self, **more):
        """That of this process, with the mark and `more`, and without a data set of the user's."""
        name, value = self._text.split("=")
        own = {key: text for key, text in os.environ.items() if key != "SAE_DATA"}
        return {**own, **more, name: value}

    def processes(self):
        """Process id of each marked process, with its environment as bytes."""
        found = {}
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue  # It has ended, or is another user's.
            if self._text.encode() in environment.split(b"\0"):
                found[int(folder.name)] = environment
        return found

    def ranks(self):
        """Process id of each rank under mpirun."""
        found = {}
        for process, environment in self.processes().items():
            rank = re.search(rb"OMPI_COMM_WORLD_RANK=(\d+)", environment)
            if rank:
                found[int(rank[1])] = process
        return found

    def left_behind(self, grace=2.0):
        """Processes that are still there `grace` seconds later; ends them."""
        deadline = time.monotonic() + grace
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return left


class ProgramTest(unittest.TestCase):
    """Its cases share an empty folder, in which the program runs; it is removed after them."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="sae-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)

    @classmethod
    def run_program(cls, *arguments, ranks=0, code=0, within=60, folder=None, environment=None,
                    program=PROGRAM, **user):
        """Returns all that the program printed. Throws: AssertionError unless it ends within
        `within` seconds with exit code `code` and leaves no process behind. `user`: as Popen."""
        mark = Mark()
        command = command_line(*arguments, ranks=ranks, program=program)
        found, output, seconds = run_command(command, within, cwd=folder or cls.folder,
                                             env=mark.environment(**(environment or {})), **user)
        left = mark.left_behind()
        told = f"{' '.join(command)} printed in {seconds:.1f} s:\n{output}"
        assert found is not None, f"still running after {within:g} s: {told}"
        assert found == code, f"exit code {found}, expected {code}: {told}"
        assert not left, f"processes {sorted(left)} are left behind by {told}"
        return output

    @classmethod
    def train(cls, run, *arguments, **options):
        """Trains into `run`, a name in the folder; as run_program."""
        return cls.run_program("--run", run, *arguments, **options)

    @classmethod
    @contextlib.contextmanager
    def running_until(cls, command, look, within, environment=None, **options):
        """Runs the command until `look` returns something true, it ends, or `within` seconds are
        over: the job, its Mark and what `look` returned. What is within this has to end it; what
        throws there ends all of it. `options`: as Popen."""
        mark = Mark()
        with subprocess.Popen(command, cwd=cls.folder, env=mark.environment(**(environment or {})),
                              **options) as job:
            try:
                deadline = time.monotonic() + within
                while not (seen := look()) and job.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.01)
                yield job, mark, seen
            except BaseException:
                mark.left_behind(grace=0)
                raise

    @classmethod
    def training_until(cls, run, look, *arguments, ranks=0, within):
        """Trains into `run`; as running_until."""
        return cls.running_until(command_line("--run", run, *arguments, ranks=ranks), look, within,
                                 stdout=subprocess.DEVNULL)

    @classmethod
    def act_upon(cls, command, look, act, patience=30, within=30, grace=4, environment=None):
        """Exit code and output of the command to which `act` (its process, those of the ranks by
        their number) was done once `look` returned something true, which takes at most `patience`
        seconds. Throws: TimeoutExpired unless it ends `within` seconds after, AssertionError if
        processes are left behind `grace` seconds later."""
        # Not a pipe: a rank left behind would hold it open, and we would wait for it.
        with tempfile.TemporaryFile("w+") as output:
            with cls.running_until(command, look, patience, environment, stdout=output,
                                   stderr=output, stdin=subprocess.DEVNULL,
                                   start_new_session=True) as (job, mark, seen):
                assert seen, f"nothing was seen; ended with {job.poll()}"
                act(job.pid, mark.ranks())
                code = job.wait(within)
                left = mark.left_behind(grace)
            output.seek(0)
            text = output.read()
        assert not left, f"processes {sorted(left)} are left behind: {text}"
        return code, text

    @classmethod
    def while_training(cls, run, look, *arguments, within=50):
        """Trains into `run` until `look` returns something true; then stops it cleanly. Returns
        what it returned. Throws: AssertionError if that takes too long."""
        with cls.training_until(run, look, *arguments, within=within) as (job, mark, seen):
            job.send_signal(signal.SIGTERM)
            code = job.wait(30)
        assert seen, f"nothing was seen within {within} s"
        assert code == 75, f"exit code {code}"
        assert not mark.left_behind()
        return seen

    @classmethod
    def kill_when(cls, run, look, *arguments, ranks=0, within=100):
        """Trains into `run` until `look` returns something true, which it returns; kills all of it
        then. Throws: AssertionError if it ends before or takes too long."""
        with cls.training_until(run, look, *arguments, ranks=ranks, within=within) as (job, mark, seen):
            ended = job.poll() is not None
            mark.left_behind(grace=0)
        assert seen and not ended, f"seen: {seen}, ended by itself: {ended}"
        return seen

    @classmethod
    def script(cls, path, text):
        """Makes a program of this text, under this path in the folder; returns the whole path."""
        path = cls.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def assert_refused(self, *cases, within=10, **options):
        """Each case (exit code, texts, arguments) ends with the code and with one line of ours that
        holds the texts; mpirun alone may add lines. All files in the folder stay as they were.
        `options` as of run_program."""
        before = self.files()
        # A single process mostly waits to start; but Open MPI's own may not make a user's first folder
        # in /tmp at the same moment.
        at_a_time = 1 if options.get("ranks") or options.get("user") else 4
        with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
            runs = [pool.submit(self.run_program, *arguments, code=code, within=within, **options)
                    for code, _, arguments in cases]
        for (_, texts, arguments), run in zip(cases, runs):
            with self.subTest(" ".join(map(str, arguments))):
                output = run.result()
                sentences = re.findall("^sae_dist.*", output, re.MULTILINE)
                self.assertEqual(len(sentences), 1, output)
                if "ranks" not in options:
                    self.assertEqual(output, sentences[0] + "\n")
                for text in texts:
                    self.assertIn(str(text), sentences[0])
                for noise in ("HDF5-DIAG", "terminate called", "what()", "filesystem error",
                              "Assertion", "*** ", "stage "):
                    self.assertNotIn(noise, output)
        self.assertEqual(sorted(self.files() ^ before), [], "made, changed or removed")

    def files(self):
        """Name, size and time of all that the folder holds."""
        found = [(path, path.stat()) for path in self.folder.rglob("*")]
        return {(str(path.relative_to(self.folder)), path.is_file() and status.st_size,
                 path.is_file() and status.st_mtime_ns) for path, status in found}

    def assert_close(self, found, expected, tolerance, what):
        """Largest absolute difference."""
        self.assertEqual(np.shape(found), np.shape(expected), what)
        difference = np.max(np.abs(np.subtract(found, expected, dtype=np.float64)))
        self.assertLessEqual(difference, tolerance, what)


def on_a_terminal(command, folder):
    """All that the command writes to a terminal; it must succeed."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("4H", 40, COLUMNS, 0, 0))
    process = subprocess.Popen(command, cwd=folder, stdout=end, stderr=end,
                               stdin=subprocess.DEVNULL)
    os.close(end)
    shown = b""
    try:
        while part := os.read(terminal, 65536):
            shown += part
    except OSError:  # All who could write have ended.
        pass
    os.close(terminal)
    assert process.wait() == 0, shown.decode()
    return shown.decode()


# Data sets.

def write_dataset(path, train, test, classes=10, labels_type="u2", **attributes):
    """`train` and `test` are pairs of images and labels. The attributes replace the usual ones."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"format": "sae-dataset", "version": 1, "name": "test",
                           "classes": classes, **attributes})
        for split, (images, labels) in (("train", train), ("test", test)):
            # Chunks of a few samples, so that each rank reads others.
            file.create_dataset(f"{split}/images", data=images, fletcher32=True,
                                chunks=(min(len(images), 10), *images.shape[1:]))
            file.create_dataset(f"{split}/labels", data=np.asarray(labels, dtype=labels_type))


def mnist_subset(path, train, test):
    """The first samples of both splits."""
    with h5py.File(MNIST) as mnist:
        write_dataset(path, *((mnist[f"{split}/images"][:count], mnist[f"{split}/labels"][:count])
                              for split, count in (("train", train), ("test", test))))


def toy_samples(count, seed=0, features=30, classes=3):
    """Images uint8 (count, features) and labels that can be learned from them."""
    random = np.random.default_rng(seed)
    labels = random.integers(classes, size=count)
    bright = np.arange(features) % classes == labels[:, None]
    images = random.integers(100, size=(count, features)) + np.where(bright, 40, 0)
    return images.astype(np.uint8), labels


def damage(path, array, row):
    """Turns one bit over in the HDF5 array: of the row, or of the chunk that holds it."""
    with h5py.File(path) as file:
        values = file[array]
        if values.chunks:
            first = (row,) + (0,) * (values.ndim - 1)
            place = values.id.get_chunk_info_by_coord(first).byte_offset
        else:
            place = values.id.get_offset() + row * values[0].nbytes
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))


# What the program writes and prints.

def arrays_of(model):
    """Name, such as hidden1/weights, and values of each array of a checkpoint."""
    arrays = {}
    with h5py.File(model) as file:
        file["model"].visititems(lambda name, item: arrays.update({name: item[()]})
                                 if isinstance(item, h5py.Dataset) else None)
    return arrays


def metrics_of(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def printed_losses(output):
    """(stage, epoch, loss) of each line of an epoch."""
    lines = re.findall(r"^(\w+) +epoch +(\d+)/\d+ +loss +(\S+)", output, re.MULTILINE)
    return [(stage, int(epoch), float(loss)) for stage, epoch, loss in lines]


def printed_counts(output):
    """(errors, samples) of each error that is printed."""
    return [tuple(int(number.replace(",", "")) for number in pair)
            for pair in re.findall(r"% +\(([\d,]+) of ([\d,]+)\)", output)]


def printed_confusion(output):
    """The last confusion matrix: rows labels, columns predictions."""
    rows = []
    for line in output.split("predicted\n")[-1].splitlines()[1:]:
        if not line.strip():
            break
        rows.append([0 if word == "." else int(word.replace(",", "")) for word in line.split()[1:]])
    return np.array(rows)

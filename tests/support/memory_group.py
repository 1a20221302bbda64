"""A control group of one's own that limits memory, of version 1 or 2. Run as a program: fails where
none can be made, and says why."""

import contextlib
import errno
import os
import pathlib
import subprocess
import time

MEGABYTES = 100


def memory_hierarchy():
    """Where groups that limit memory are made, and the name of the file with a group's limit."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        place, _, system = line.partition(" - ")
        folder, (kind, _, options) = pathlib.Path(place.split()[4]), system.split(maxsplit=2)
        if kind == "cgroup" and "memory" in options.split(","):
            return folder, "memory.limit_in_bytes"
        if kind == "cgroup2" and "memory" in (folder / "cgroup.controllers").read_text().split():
            return folder, "memory.max"
    raise OSError("there are no control groups that limit memory")


def remove(group, limit=10):
    """A process stays in its group for a moment after its parent has seen its end."""
    deadline = time.monotonic() + limit
    while True:
        try:
            return group.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


@contextlib.contextmanager
def memory_group(megabytes):
    """The words that start a command in a group that may take so much. It must have ended by the end."""
    folder, limit = memory_hierarchy()
    group = folder / f"sae-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / limit).write_text(str(megabytes << 20))
        yield ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs")]
    finally:
        remove(group)


if __name__ == "__main__":
    with memory_group(MEGABYTES) as started:
        subprocess.run([*started, "/bin/true"], check=True)

"""Checks that a command fails as promised: exit code, text and time.

As a program:  expect_failure.py --code 65 --text train.h5 --within 5 -- mpirun -np 3 sae_dist ...
From a test:   from expect_failure import expect_failure
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time


def run(command, limit, **options):
    """Runs the command and returns exit code (None: stopped after `limit` seconds), all it printed
    and the seconds it took. `options` go to subprocess.Popen."""
    # To a file: a rank left behind would hold a pipe open, and we would wait for it.
    with tempfile.TemporaryFile() as output:
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True, **options)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
            process.terminate()  # mpirun ends its ranks, which stand in other process groups.
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        seconds = time.monotonic() - start
        output.seek(0)
        return code, output.read().decode(errors="replace"), seconds


def expect_failure(command, code, texts=(), within=5.0, **options):
    """Returns what the command printed. Throws: AssertionError unless it ends within `within`
    seconds with exit code `code` and prints each of `texts`."""
    found, output, seconds = run(command, within, **options)
    faults = []
    if found is None:
        faults.append(f"still running after {within:g} s")
    elif found != code:
        faults.append(f"exit code {found}, expected {code}")
    faults += [f"does not print {text!r}" for text in texts if text not in output]
    assert not faults, "{}: {}; it printed in {:.1f} s:\n{}".format(
        " ".join(map(str, command)), "; ".join(faults), seconds, output)
    return output


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--code", type=int, required=True, help="exit code to expect")
    parser.add_argument("--text", action="append", default=[], help="what it must print; repeatable")
    parser.add_argument("--within", type=float, default=5.0, help="seconds it may take (5)")
    parser.add_argument("command", nargs="+", help="after --")
    arguments = parser.parse_args()
    try:
        expect_failure(arguments.command, arguments.code, arguments.text, arguments.within)
    except AssertionError as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()

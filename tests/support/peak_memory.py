"""Peak memory of each rank of a job. usage, instead of COMMAND under mpirun: python3 peak_memory.py
OUTPUT COMMAND..., which writes it to OUTPUT.<rank>."""

import os
import pathlib
import resource
import subprocess
import sys


def peaks_of(output, ranks):
    """Peak resident memory of each rank in bytes, as written to `output`."""
    return [int(pathlib.Path(f"{output}.{rank}").read_text()) for rank in range(ranks)]


def main(output, *command):
    code = subprocess.call(command)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    pathlib.Path(f"{output}.{os.environ['OMPI_COMM_WORLD_RANK']}").write_text(str(peak))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

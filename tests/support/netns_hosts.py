"""Several hosts on one machine, made by cluster/netns-cluster. Needs root."""

import os
import pathlib
import subprocess
import tempfile

from sae_program import PROGRAM, SOURCE_DIR

NETNS_CLUSTER = SOURCE_DIR / "cluster" / "netns-cluster"
LAUNCH = SOURCE_DIR / "cluster" / "launch.sh"


class Hosts:
    """host1 ... host<count>, of `slots` ranks each, until the end of a `with`."""

    def __init__(self, count, slots=2):
        assert os.geteuid() == 0, "To make hosts on this machine one must be root."
        self.count = count
        self._slots = slots

    def __enter__(self):
        # pylint: disable-next=consider-using-with
        self._folder = tempfile.TemporaryDirectory(prefix="sae-hosts-")
        self.hostfile = pathlib.Path(self._folder.name) / "hostfile"
        self._environment = {**os.environ, "NETNS_CLUSTER_DIR": self._folder.name,
                             "NETNS_SLOTS": str(self._slots), "SAE_DIST": PROGRAM}
        self.act("up", self.count)
        return self

    def __exit__(self, *_):
        self.act("down")
        self._folder.cleanup()

    def act(self, verb, *words):
        """What netns-cluster does; returns what it printed."""
        command = self._command(verb, *words)
        done = subprocess.run(command, env=self._environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}"
        return done.stdout

    def start(self, host, *words, **options):
        """A command on a host, as Popen."""
        environment = {**self._environment, **options.pop("env", {})}
        return subprocess.Popen(self._command("on", host, *words), env=environment,
                                stdin=subprocess.DEVNULL, start_new_session=True, **options)

    def shell(self, host, command):
        """What it printed on a host."""
        return self.act("on", host, "sh", "-c", command)

    def ranks(self, host):
        """Process ids there, in the host's own numbers."""
        return self.shell(host, f"pidof {pathlib.Path(PROGRAM).name} || true").split()

    def hide(self, folder, host):
        """An empty folder in its place."""
        self.act("on", host, "mount", "-t", "tmpfs", "none", folder)

    @staticmethod
    def _command(verb, *words):
        return [str(word) for word in (NETNS_CLUSTER, verb, *words)]

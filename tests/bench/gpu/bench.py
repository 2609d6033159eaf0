"""What every row needs: where the programs are, which peer there is, how much time is left, who is resident on the GPU."""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

from gpu import Nvml, Watch, library_versions
from models import Models
from processes import Server

HERE = pathlib.Path(__file__).resolve().parent
HOME = HERE.parents[2]


class Side:
    """One resident program of a pair, and how much memory it holds while the other is measured."""

    def __init__(self, bench, command, environment, start=None):
        self._bench, self.held_gib = bench, 0
        self._server = Server([str(word) for word in command], environment, bench.scratch)
        self._start, self.hello = start, None

    def ask(self, line):
        self.ready()
        answer = self._server.ask(line)
        if "reserved_gib" in answer:
            self.held_gib += answer["reserved_gib"] - self._reserved
            self._reserved = answer["reserved_gib"]
        return answer

    def ready(self):
        if self.hello is not None:
            return self.hello
        before = self._bench.nvml.used_gib() or 0
        self.hello = self._server.ask(self._start) if self._start else self._server.answer()
        self.held_gib = (self._bench.nvml.used_gib() or 0) - before
        self._reserved = self.hello.get("reserved_gib", 0)
        return self.hello

    def close(self):
        self._server.close()


class Bench:
    def __init__(self, arguments, scratch):
        self.bin, self.scratch, self.tiny = pathlib.Path(arguments.bin).resolve(), pathlib.Path(scratch), arguments.tiny
        self.rounds, self.peer_device = arguments.rounds, "cpu" if arguments.tiny else "cuda"
        self._end = time.monotonic() + arguments.budget if arguments.budget else None
        self.models = Models(HOME / "inputs" / "demo" / "model", scratch, self.tiny)
        self.nvml = Nvml()
        self.environment = dict(os.environ, WAN_DEVICE="host" if self.tiny else "cuda")
        if self.tiny:
            self.environment["OMP_WAIT_POLICY"] = "passive"
        # Ours may need library folders that must not reach into the peer's own libraries.
        self.peer_environment = dict(os.environ)
        if "WAN_PEER_LIBRARY_PATH" in os.environ:
            self.peer_environment["LD_LIBRARY_PATH"] = os.environ["WAN_PEER_LIBRARY_PATH"]
        self.python = arguments.peer if arguments.peer and _has_peer(arguments.peer, self.peer_environment) else None
        self._resident = {}

    def program(self, name):
        return self.bin / name

    def left_s(self):
        return float("inf") if self._end is None else self._end - time.monotonic()

    def fresh(self, name):
        """An empty folder."""
        folder = self.scratch / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def use(self, *commands):
        """A resident Side for each of these (program, *arguments) or ("peer", *arguments); all others leave the GPU. None for a peer
        where there is none."""
        wanted = [tuple(map(str, command)) for command in commands]
        for command in [command for command in self._resident if command not in wanted]:
            self._resident.pop(command).close()
        return [self._side(command) for command in wanted]

    def _side(self, command):
        if command[0] == "peer" and self.python is None:
            return None
        if command not in self._resident:
            if command[0] == "peer":
                small = ["--small"] if self.tiny else []
                full = [self.python, HERE / "peer.py", *command[1:], "--device", self.peer_device, *small]
                # It imports meanwhile, and takes of the GPU only when it is asked to.
                self._resident[command] = Side(self, full, self.peer_environment, start="start")
            else:
                self._resident[command] = Side(self, [self.program(command[0]), *command[1:], "--serve"], self.environment)
        return self._resident[command]

    def close(self):
        self.use()

    def alternate(self, ours, peer, least=5):
        """Milliseconds of `ours`, a function that returns them and what it took of the GPU, and of `peer`, one that returns them, in turn,
        until each has `least` of them, and on for the rounds that were asked for while there is time; then the most of the GPU, GiB, and
        its clock while ours ran last."""
        mine, theirs, most_gib, rounds, enough = [], [], 0, 0, False
        while rounds < self.rounds or not enough:
            begin = time.monotonic()
            with Watch(self.nvml) as watch:
                times, gib = ours()
            mine += times
            most_gib = max(most_gib, gib)
            if peer is not None:
                theirs += peer()
            rounds += 1
            enough = len(mine) >= least and (peer is None or len(theirs) >= least)
            if enough and self.left_s() < 1.5 * (time.monotonic() - begin):
                break
        return mine, theirs, {"ours_gib": most_gib or None, "sm_mhz": watch.sm_mhz()}

    def others_gib(self, side):
        """What all other resident programs hold of the GPU now."""
        return sum(other.held_gib for other in self._resident.values() if other is not side)

    def describe(self):
        return {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **self.nvml.description(), **library_versions()}


def median(values):
    return statistics.median(values)


def _has_peer(python, environment):
    # Looks for them without importing, which takes many seconds.
    asked = "import importlib.util as u; print([m for m in ('torch', 'diffusers', 'transformers') if u.find_spec(m) is None])"
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True, env=environment)
    missing = done.stdout.strip() if done.returncode == 0 else done.stderr.strip()
    if missing != "[]":
        print(f"ours alone, for the peer {python} lacks {missing}", file=sys.stderr)
    return missing == "[]"

"""Programs that are measured: some answer line by line and stay, others run once."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time


class Failed(Exception):
    """A figure could not be had; the row is lost, the others go on."""


def _failure(command, what, said):
    words = [str(word) for word in command]
    last = (said.strip().splitlines() or ["it said nothing"])[-1]
    return Failed(f"{pathlib.Path(words[0]).name} {what}: {last}\n{' '.join(words)}\n{said[-2000:]}")


class Server:
    """A program that answers each line of its standard input with a JSON line, other lines of its output before it."""

    def __init__(self, command, environment, log_folder):
        self._command = command
        self._log = tempfile.NamedTemporaryFile("w+", dir=log_folder, suffix=".log", delete=False)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment)

    def ask(self, line):
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.answer()

    def answer(self):
        for line in self._process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        code = self._process.wait()
        self._log.seek(0)
        raise _failure(self._command, f"ended with {code}", self._log.read())

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def run(command, environment=None, code=0):
    """Standard output of a program that must end with `code`."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment)
    if done.returncode != code:
        raise _failure(command, f"ended with {done.returncode}", done.stderr)
    return done.stdout


def run_lines(command, environment=None):
    """(seconds on a clock, line) of what a program that must succeed says on its standard error, as it says it, then its end."""
    command = [str(word) for word in command]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment) as process:
        said = []
        for line in process.stderr:
            said.append((time.perf_counter(), line.rstrip("\n")))
        code = process.wait()
    if code != 0:
        raise _failure(command, f"ended with {code}", "\n".join(line for _, line in said))
    return said


def _lines_of(path):
    """Complete lines only: the last one may be on its way."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]] if path.exists() else []


def train_lines(runs, steps, patience_s=900):
    """The first `steps` metrics lines of each of some training runs (command, run folder, environment) that go on at the same time until
    all have as many, and are killed then: nothing is saved at their end."""
    with contextlib.ExitStack() as ends:
        begun = []
        for command, folder, environment in runs:
            log = ends.enter_context(tempfile.TemporaryFile("w+"))
            process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, text=True, env=environment,
                                       start_new_session=True)
            ends.callback(_kill, process)
            begun.append((command, folder, log, process))
        end = time.monotonic() + patience_s
        while True:
            found = [metrics(folder, "train")[:steps] for _, folder, _, _ in begun]
            if all(len(lines) == steps for lines in found):
                return found
            for lines, (command, _, log, process) in zip(found, begun):
                if len(lines) < steps and (process.poll() is not None or time.monotonic() > end):
                    log.seek(0)
                    raise _failure(command, f"made {len(lines)} of {steps} steps, exit code {process.poll()}", log.read())
            time.sleep(0.05)


def _kill(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def metrics(run_folder, kind):
    return [line for line in _lines_of(pathlib.Path(run_folder, "metrics.jsonl")) if line["kind"] == kind]

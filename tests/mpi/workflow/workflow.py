"""What the tests of the workflow share: folders, starting a program on ranks, reading what it left."""
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
ANALYSIS = SOURCE / "analysis"
MODEL = SOURCE / "inputs" / "demo" / "model"
BIN = pathlib.Path(os.environ["WAN_BIN"])
# The demo model's sizes, for run files of larger models.
SMALL_MODEL = ["model.num_layers=2", "model.hidden_size=128", "model.crossattn_emb_size=128", "model.ffn_hidden_size=256",
               "model.num_attention_heads=4", "model.text_dim=64"]
ONE_RANK_LAYOUT = ["model.tensor_model_parallel_size=1", "model.context_parallel_size=1"]


def run(program, *arguments, ranks=None, code=0, environment=None, folder=None):
    """Runs a program, under mpirun where ranks is given, and returns all that it printed; it must end with `code`."""
    launcher = [] if ranks is None else shlex.split(os.environ["WAN_MPIRUN"]) + ["-n", str(ranks)]
    command = launcher + [str(BIN / program), *map(str, arguments)]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, cwd=folder,
                          env={**os.environ, **(environment or {})})
    if done.returncode != code:
        raise AssertionError(f"exit code {done.returncode}, not {code}: {shlex.join(command)}\n{done.stdout}")
    return done.stdout


def metrics(folder, kind="train"):
    """The lines of one kind of a run's metrics.jsonl."""
    lines = map(json.loads, (pathlib.Path(folder) / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if line["kind"] == kind]


def train_on_drawn_clips(folder, *overrides, clips=6):
    """Draws clips, prepares them at 64 x 80 and trains a small model on two ranks; returns the run folder."""
    run("wan-demo-clips", "--output_dir", folder / "drawn", "--clips", clips)
    run("wan-prep", "--video_folder", folder / "drawn/clips", "--output_dir", folder / "dataset", "--model", MODEL, "--height", 64,
        "--width", 80, "--center-crop", "--clip_frames", 5, "--max_clips", 1, "--split", "1,0,0", ranks=2)
    run("wan-train", "--config-file", SOURCE / "inputs/demo.yaml", f"dataset.path={folder}/dataset", f"checkpoint.save={folder}/run",
        *SMALL_MODEL, "train.global_batch_size=2", "train.micro_batch_size=1", "scheduler.lr_warmup_iters=1", *overrides, ranks=2)
    return folder / "run"


class WorkflowTest(unittest.TestCase):
    """A test class with a folder of its own, `self.folder`, gone when its tests have run."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="wan_workflow_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)

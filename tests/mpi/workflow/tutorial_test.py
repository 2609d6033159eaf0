"""The commands of DFM's "Megatron WAN workflow" tutorial, with launcher, program and paths changed, do here what they
promise; what cannot be done yet, or is wrong, is refused with one clear message and the right exit code."""
import os
import shlex
import shutil
import unittest

from workflow import MODEL, ONE_RANK_LAYOUT, SMALL_MODEL, SOURCE, WorkflowTest, metrics, run

PREP = """wan-prep --video_folder "$DATASET_SRC" --output_dir "$DATASET_PATH"
  --model "Wan-AI/Wan2.1-T2V-1.3B-Diffusers" --height 480 --width 832 --center-crop"""
MOCK = "wan-train --config-file inputs/wan_1_3B.yaml --training-mode pretrain --mock"
TRAIN = """wan-train --config-file my_wan.yaml --training-mode pretrain dataset.path=$DATASET_PATH
  train.global_batch_size=8 train.micro_batch_size=1 model.tensor_model_parallel_size=2 model.context_parallel_size=4
  checkpoint.save=$CKPT checkpoint.load=$CKPT"""
SAMPLE = """wan-sample --task t2v-1.3B --frame_nums $FRAMES --sizes 480*832 --checkpoint_dir $CKPT --checkpoint_step $ITERATION
  --prompts "Two anthropomorphic cats in comfy boxing gear fight intensely on a spotlighted stage." --sample_steps $STEPS"""
MOCK_SIZES = ["dataset.F_latents=3", "dataset.H_latents=8", "dataset.W_latents=6", "dataset.number_packed_samples=2",
              "dataset.context_seq_len=16"]


class Tutorial(WorkflowTest):
    """Its paths and long durations stand in `places`; everything else is typed as it is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "inputs").mkdir()
        (cls.folder / "models/Wan-AI").mkdir(parents=True)
        for copy in ("inputs/wan_1_3B.yaml", "my_wan.yaml"):
            shutil.copy(SOURCE / "inputs/wan_1_3B.yaml", cls.folder / copy)
        os.symlink(MODEL, cls.folder / "models/Wan-AI/Wan2.1-T2V-1.3B-Diffusers")
        cls.places = {"DATASET_SRC": cls.folder / "raw_videos", "DATASET_PATH": cls.folder / "wan_dataset",
                      "CKPT": cls.folder / "ckpt", "FRAMES": 5, "ITERATION": 2, "STEPS": 2}
        run("wan-demo-clips", "--output_dir", cls.folder / "drawn", "--clips", 1)
        os.rename(cls.folder / "drawn/clips", cls.folder / "raw_videos")

    def type(self, command, *appended, **how):
        for name, value in self.places.items():
            command = command.replace(f"${name}", str(value))
        program, *arguments = shlex.split(command)
        return run(program, *arguments, *appended, folder=self.folder,
                   environment={"WAN_MODELS": str(self.folder / "models")}, **how)

    def complaints(self, output):
        return [line for line in output.splitlines() if "allowed:" in line or "unknown" in line]

    def test_the_whole_way(self):
        self.type(PREP, "--split", "8,1,1", "--clip_frames", 5, "--max_clips", 1, ranks=2)
        for part in ("dataset.yaml", "index.h5", "rejects.csv", "shards/latents-00000.h5"):
            self.assertTrue((self.folder / "wan_dataset" / part).is_file(), part)

        refused = self.complaints(self.type(TRAIN, *SMALL_MODEL, ranks=2, code=78))
        self.assertEqual(len(refused), 2, refused)
        self.assertIn("model.tensor_model_parallel_size: found 2, allowed: 1", refused[0])
        self.assertIn("model.context_parallel_size: found 4, allowed: 1", refused[1])
        self.assertFalse((self.folder / "ckpt").exists())

        short = [*SMALL_MODEL, *ONE_RANK_LAYOUT, "checkpoint.save_interval=1"]
        self.type(TRAIN, *short, "train.train_iters=1", ranks=2)
        self.type(TRAIN, *short, "train.train_iters=2", ranks=2)
        self.assertEqual([line["step"] for line in metrics(self.folder / "ckpt")], [1, 2])
        self.assertEqual(sorted(path.name for path in (self.folder / "ckpt").glob("iter_*")),
                         ["iter_0000001", "iter_0000002"])

        output = self.type(SAMPLE, "--base_seed", 42, ranks=2)
        self.assertIn("480 high", output)
        self.assertNotIn("warn", output)
        self.assertEqual(len(list(self.folder.glob("t2v-1.3B_0000_two-anthropomorphic-cats*_seed42.mp4"))), 1)

    def test_mock_needs_no_data(self):
        typed = [*SMALL_MODEL, *MOCK_SIZES, "train.train_iters=2", f"checkpoint.save={self.folder}/mock"]
        refused = self.complaints(self.type(MOCK, *typed, code=78))
        self.assertEqual(len(refused), 1, refused)
        self.assertIn("model.context_parallel_size: found 8, allowed: 1 (inputs/wan_1_3B.yaml:6)", refused[0])

        output = self.type(MOCK, *typed, *ONE_RANK_LAYOUT, "model.qkv_format=thd", "logger.wandb_project=wan",
                           "logger.wandb_exp_name=mock", "dataset.micro_batch_size=2")
        self.assertEqual(sum("model.qkv_format" in line for line in output.splitlines()), 1, output)
        lines = metrics(self.folder / "mock")
        # 2 packs a step of 2 samples of 3 x 4 x 3 tokens.
        self.assertEqual([(line["tokens"], line["consumed_samples"]) for line in lines], [(144, 4), (144, 8)])
        resolved = (self.folder / "mock/config.yaml").read_text()
        self.assertRegex(resolved, "wandb_project: *wan ")
        self.assertRegex(resolved, "micro_batch_size: *2 ")

    def test_a_wrong_flag_is_64(self):
        self.assertIn("--config-file", run("wan-train", "--config-fil", "my_wan.yaml", code=64))
        self.assertIn("--center-crop", run("wan-prep", "--centre-crop", "--video_folder", "a", "--output_dir", "b", code=64))
        self.assertIn("--frame_nums", run("wan-sample", "--frame_num", 81, "--prompts", "x", code=64))
        self.assertIn("4n + 1", run("wan-sample", "--frame_nums", 80, "--prompts", "x", "--model", MODEL, code=64))

    def test_an_empty_folder_is_65(self):
        (self.folder / "empty").mkdir()
        said = run("wan-prep", "--video_folder", self.folder / "empty", "--output_dir", self.folder / "none", "--model", MODEL,
                   code=65)
        self.assertIn("holds no .mp4", said)
        self.assertFalse((self.folder / "none/dataset.yaml").exists())

    def test_what_is_not_there_is_66(self):
        missing = self.folder / "missing"
        prep = ["wan-prep", "--video_folder", self.folder / "raw_videos", "--output_dir", self.folder / "none", "--model"]
        said = run(*prep, "Wan-AI/Wan2.1-T2V-14B-Diffusers", code=66, environment={"WAN_MODELS": str(self.folder / "models")})
        self.assertIn("hf download Wan-AI/Wan2.1-T2V-14B-Diffusers", said)
        self.assertIn(str(missing), run(*prep, missing, code=66))
        self.assertIn(str(missing), run("wan-train", "--config-file", missing, code=66))
        self.assertIn("wan-prep", self.type(TRAIN.replace("$DATASET_PATH", str(missing)), *SMALL_MODEL, *ONE_RANK_LAYOUT,
                                            f"checkpoint.save={self.folder}/never", code=66))
        said = run("wan-sample", "--checkpoint_dir", missing, "--checkpoint_step", 7, "--prompts", "x", code=66)
        self.assertIn("no such folder", said)
        said = run("wan-sample", "--model", MODEL, "--sizes", "64*64", "--prompts", "x", code=66)
        self.assertIn("holds no weights", said)

    def test_a_wrong_key_is_78(self):
        typed = [*SMALL_MODEL, *ONE_RANK_LAYOUT, f"checkpoint.save={self.folder}/never"]
        for wrong, named in [("train.global_batch_sise=8", "train.global_batch_size"),
                             ("model.hiden_size=64", "model.hidden_size"),
                             ("train.train_iters=many", "train.train_iters"),
                             ("model.num_attention_heads=5", "model.num_attention_heads"),
                             ("model.hidden_dropout=0.1", "Wan 2.1 has no dropout")]:
            self.assertIn(named, self.type(MOCK, *typed, wrong, code=78), wrong)
        self.assertFalse((self.folder / "never").exists())


if __name__ == "__main__":
    unittest.main()

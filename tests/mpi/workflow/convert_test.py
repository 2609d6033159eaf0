"""wan-convert: weights go between diffusers, the official layout and checkpoints without a changed bit, whatever their dtype
and sharding; training and sampling take what comes out; what does not fit is refused by name, and nothing half-written stays."""
import json
import math
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import time
import unittest
import zipfile

import h5py
import numpy as np
from safetensors.numpy import load_file

import torch_files
from sampling_test import random_transformer
from workflow import BIN, MODEL, SOURCE, WorkflowTest, run

WEIGHTS = "diffusion_pytorch_model.safetensors"
PARTS = ["vae", "text_encoder", "tokenizer", "scheduler"]
DEMO_TRAINING = ["--config-file", SOURCE / "inputs/demo.yaml", "--mock", "dataset.F_latents=1", "dataset.H_latents=8",
                 "dataset.W_latents=8", "dataset.context_seq_len=4", "train.global_batch_size=1", "train.micro_batch_size=1",
                 "train.eval_iters=0", "scheduler.lr_warmup_iters=0"]
VAE_BLOCKS = json.loads((MODEL / "vae/config.json").read_text())["num_res_blocks"]


def read_raw(path):
    """{name: (dtype, shape, bytes)} of one safetensors file."""
    content = pathlib.Path(path).read_bytes()
    length, = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], tuple(entry["shape"]),
                   content[8 + length + entry["data_offsets"][0]:8 + length + entry["data_offsets"][1]])
            for name, entry in header.items()}


def write_raw(tensors, path):
    header, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, _, data in tensors.values():
            file.write(data)


def read_component(folder):
    """All tensors of a folder, by its index where there is one."""
    index = folder / f"{WEIGHTS}.index.json"
    if not index.exists():
        return read_raw(folder / WEIGHTS)
    places = json.loads(index.read_text())["weight_map"]
    files = {file: read_raw(folder / file) for file in sorted(set(places.values()))}
    return {name: files[file][name] for name, file in places.items()}


def in_dtype(values, dtype):
    """fp32 arrays as tensors of a dtype; bf16 by cutting, which is as good as any bits."""
    if dtype == "BF16":
        return {name: (dtype, value.shape, (value.view(np.uint32) >> 16).astype(np.uint16).tobytes()) for name, value in values.items()}
    if dtype == "F16":  # of a NaN widening keeps no more than that it is one
        return {name: (dtype, value.shape, np.where(np.isnan(value), 0, value).astype(np.float16).tobytes())
                for name, value in values.items()}
    return {name: (dtype, value.shape, value.tobytes()) for name, value in values.items()}


def shard(tensors, folder):
    """Writes two shards and their index."""
    names = sorted(tensors)
    halves = {f"diffusion_pytorch_model-0000{i + 1}-of-00002.safetensors": names[i::2] for i in (0, 1)}
    for file, part in halves.items():
        write_raw({name: tensors[name] for name in part}, folder / file)
    places = {name: file for file, part in halves.items() for name in part}
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


class Convert(WorkflowTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.values = random_transformer(7)
        # Bits that no arithmetic may touch.
        cls.values["blocks.0.attn1.to_q.bias"][:5] = np.array(
            [0x80000000, 1, 0x7fc12345, 0x7f800000, 0x3f800001], np.uint32).view(np.float32)
        cls.model = cls.model_of("F32")

    def assert_same(self, found, expected):
        """All tensors: names, dtypes, shapes and bytes."""
        self.assertEqual(sorted(found), sorted(expected))
        for name, (dtype, shape, data) in found.items():
            self.assertEqual((dtype, shape), expected[name][:2], name)
            self.assertTrue(data == expected[name][2], name)

    @classmethod
    def model_of(cls, dtype):
        """A model folder whose transformer is stored as `dtype`."""
        folder = cls.folder / f"model_{dtype}"
        if not folder.exists():
            shutil.copytree(MODEL, folder)
            write_raw(in_dtype(cls.values, dtype), folder / "transformer" / WEIGHTS)
        return folder

    @classmethod
    def official_of(cls, dtype, sharded=False):
        """The official layout of the same, VAE and text encoder included."""
        folder = cls.folder / f"official_{dtype}_{sharded}"
        if folder.exists():
            return folder
        folder.mkdir()
        config = json.loads((MODEL / "transformer/config.json").read_text())
        (folder / "config.json").write_text(json.dumps({
            "_class_name": "WanModel", "dim": 128, "num_heads": 4, "num_layers": config["num_layers"], "ffn_dim": config["ffn_dim"],
            "in_dim": 16, "out_dim": 16, "freq_dim": 256, "eps": 1e-6, "model_type": "t2v", "text_len": 512}))
        tensors = {torch_files.official_transformer_name(name): tensor for name, tensor in in_dtype(cls.values, dtype).items()}
        if sharded:
            shard(tensors, folder)
        else:
            write_raw(tensors, folder / WEIGHTS)
        vae = {torch_files.official_vae_name(name, VAE_BLOCKS): tensor for name, tensor in read_raw(MODEL / "vae" / WEIGHTS).items()}
        torch_files.save_state_dict(vae, folder / "Wan2.1_VAE.pth")
        text = {torch_files.official_text_name(name): tensor
                for name, tensor in read_raw(MODEL / "text_encoder/model.safetensors").items()}
        torch_files.save_state_dict(text, folder / "models_t5_umt5-xxl-enc-bf16.pth")
        shutil.copytree(MODEL / "tokenizer", folder / "google/umt5-xxl")
        return folder

    def convert(self, source, name, *flags, code=0):
        """Converts into a folder of the test's; returns it, or what was printed if it has to fail."""
        target = self.folder / name
        said = run("wan-convert", "--from", source, "--to", target, *flags, code=code)
        self.assertFalse(target.with_name(f"{name}.tmp").exists())
        if code == 0:
            return target
        self.assertFalse(target.exists())
        return said

    def latent(self, name, *source):
        path = self.folder / f"{name}.safetensors"
        run("wan-sample", *source, "--prompts", "a red circle", "--sizes", "64*64", "--frame_nums", 5, "--sample_steps", 2,
            "--base_seed", 3, "--save_latents", path, "--output_dir", self.folder / f"{name}_video")
        return load_file(path)["latent"].tobytes()

    def test_diffusers_to_checkpoint_and_back(self):
        for dtype in ("F32", "BF16", "F16"):
            source = self.model_of(dtype)
            checkpoint = self.convert(source, f"there_{dtype}")
            back = self.convert(checkpoint, f"back_{dtype}")
            expected = read_component(source / "transformer")
            if dtype == "F16":
                widened = {name: np.frombuffer(data, np.float16).astype(np.float32) for name, (_, _, data) in expected.items()}
                expected = {name: ("F32", expected[name][1], value.tobytes()) for name, value in widened.items()}
            self.assert_same(read_component(back / "transformer"), expected)
            for part in PARTS:
                for file in (source / part).iterdir():
                    self.assertEqual((back / part / file.name).read_bytes(), file.read_bytes(), file)
            self.assertEqual((back / "model_index.json").read_bytes(), (source / "model_index.json").read_bytes())
            said = run("wan-inspect", "checkpoint", checkpoint, "--verify")
            self.assertRegex(said, "iter_0000000 .*all hashes agree")

    def test_official_to_diffusers_and_back(self):
        for dtype, sharded in (("F32", False), ("BF16", True), ("F16", False)):
            official = self.official_of(dtype, sharded)
            model = self.convert(official, f"from_official_{dtype}", "--max-shard-size", "3MB" if sharded else "5GB")
            self.assert_same(read_component(model / "transformer"), read_component(self.model_of(dtype) / "transformer"))
            self.assert_same(read_component(model / "vae"), read_raw(MODEL / "vae" / WEIGHTS))
            self.assert_same(read_raw(model / "text_encoder/model.safetensors"), read_raw(MODEL / "text_encoder/model.safetensors"))
            for file in (MODEL / "tokenizer").iterdir():
                self.assertEqual((model / "tokenizer" / file.name).read_bytes(), file.read_bytes())
            for name, keys in [("transformer", ["num_layers", "num_attention_heads", "attention_head_dim", "ffn_dim", "text_dim",
                                                "in_channels", "patch_size", "qk_norm", "eps"]),
                               ("vae", ["base_dim", "z_dim", "dim_mult", "num_res_blocks", "temperal_downsample"]),
                               ("text_encoder", ["d_ff", "d_kv", "d_model", "num_heads", "num_layers", "vocab_size",
                                                 "relative_attention_num_buckets", "feed_forward_proj"])]:
                made, source = (json.loads((folder / name / "config.json").read_text()) for folder in (model, MODEL))
                self.assertEqual({key: made[key] for key in keys}, {key: source[key] for key in keys})
            back = self.convert(model, f"to_official_{dtype}", "--to-format", "official")
            self.assert_same(read_component(back), read_component(official))
            made, source = (json.loads((folder / "config.json").read_text()) for folder in (back, official))
            self.assertEqual({key: made[key] for key in source}, source)

    def test_shards_and_their_index(self):
        model = self.convert(self.model, "sharded", "--to-format", "diffusers", "--max-shard-size", "600KB")
        folder = model / "transformer"
        index = json.loads((folder / f"{WEIGHTS}.index.json").read_text())
        files = sorted(path.name for path in folder.glob("*.safetensors"))
        self.assertGreater(len(files), 5)
        self.assertEqual(files, [f"diffusion_pytorch_model-{i + 1:05}-of-{len(files):05}.safetensors" for i in range(len(files))])
        tensors = {}
        for file in files:
            part = read_raw(folder / file)
            self.assertLessEqual(sum(len(data) for _, _, data in part.values()), 600_000)
            self.assertEqual({index["weight_map"][name] for name in part}, {file})
            tensors.update(part)
        self.assertEqual(sorted(tensors), sorted(index["weight_map"]))
        self.assert_same(tensors, read_component(self.model / "transformer"))
        self.assertEqual(index["metadata"]["total_size"], sum(len(data) for _, _, data in tensors.values()))

    def test_rounding_is_to_nearest_even_and_leaves_what_training_leaves(self):
        model = self.convert(self.model, "bf16", "--to-format", "diffusers", "--dtype", "bf16")
        dtypes = {}
        for name, (dtype, _, data) in read_component(model / "transformer").items():
            dtypes.setdefault(dtype, []).append(name)
            bits = self.values[name].view(np.uint32).astype(np.uint64).ravel()
            if dtype == "F32":
                self.assertEqual(data, self.values[name].tobytes())
                continue
            rounded = ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
            nan = np.isnan(self.values[name].ravel())
            self.assertTrue(np.array_equal(np.frombuffer(data, np.uint16)[~nan], rounded[~nan]), name)
            self.assertTrue(all(word & 0x7f for word in np.frombuffer(data, np.uint16)[nan]))
        self.assertTrue(all("norm" in name or "scale_shift" in name or "time_" in name for name in dtypes["F32"]), dtypes["F32"])
        self.assertIn("blocks.0.ffn.net.2.weight", dtypes["BF16"])

    def test_sampling_takes_what_was_converted(self):
        self.values_without_nan()
        expected = self.latent("source", "--model", self.plain)
        checkpoint = self.convert(self.plain, "sampled_checkpoint")
        self.assertEqual(self.latent("checkpoint", "--checkpoint_dir", checkpoint), expected)
        model = self.convert(checkpoint, "sampled_model", "--max-shard-size", "1MB")
        self.assertEqual(self.latent("model", "--model", model), expected)
        official = self.convert(checkpoint, "sampled_official", "--to-format", "official")
        again = self.convert(official, "sampled_again", "--model", self.plain, "--to-format", "diffusers")
        self.assertEqual(self.latent("again", "--model", again), expected)
        named = self.convert(official, "sampled_named", "--model", self.plain, "--to-format", "checkpoint")
        self.assertEqual(self.latent("named", "--checkpoint_dir", named), expected)

    def values_without_nan(self):
        self.plain = self.folder / "plain"
        if not self.plain.exists():
            shutil.copytree(MODEL, self.plain)
            write_raw(in_dtype(random_transformer(8), "F32"), self.plain / "transformer" / WEIGHTS)

    def test_training_starts_from_it(self):
        self.values_without_nan()
        checkpoint = self.convert(self.plain, "pretrained")
        # A learning rate of 0 leaves the weights as they were loaded.
        run("wan-train", *DEMO_TRAINING, f"checkpoint.save={self.folder}/tuned", f"checkpoint.pretrained_checkpoint={checkpoint}",
            "train.train_iters=1", "optimizer.lr=0", "ema.enabled=false")
        tuned = self.convert(self.folder / "tuned", "tuned_model", "--model", self.plain)
        self.assert_same(read_component(tuned / "transformer"), read_component(self.plain / "transformer"))
        said = run("wan-train", *DEMO_TRAINING, f"checkpoint.save={checkpoint}", "train.train_iters=1", code=65)
        self.assertIn("pretrained_checkpoint", said)

    def test_averaged_raw_and_earlier_weights(self):
        trained = self.folder / "trained"
        run("wan-train", *DEMO_TRAINING, f"checkpoint.save={trained}", "train.train_iters=2", "checkpoint.save_interval=1",
            "model.params_dtype=bf16", "optimizer.lr=1e-2", "ema.decay=0.5", "ema.warmup=false")
        for step, flags, file, where in [(2, [], "model.h5", "ema/transformer"), (1, ["--step", 1], "model.h5", "ema/transformer"),
                                         (2, ["--weights", "raw"], "optim.h5", "master/transformer"),
                                         (1, ["--weights", "raw", "--step", 1], "optim.h5", "master/transformer")]:
            name = f"of_{where[:3]}_{step}"
            made = read_component(self.convert(trained, name, "--model", MODEL, *flags) / "transformer")
            with h5py.File(trained / f"iter_000000{step}" / file) as stored, \
                    h5py.File(trained / f"iter_000000{step}/model.h5") as plain:
                for tensor, (dtype, _, data) in made.items():
                    source = stored[where] if tensor in stored[where] else plain["transformer"]
                    self.assertEqual((dtype, data), ("F32", source[tensor][()].astype(np.float32).tobytes()), tensor)
        iteration = self.convert(trained / "iter_0000001", "of_iteration", "--to-format", "official", "--weights", "ema")
        averaged = read_component(self.folder / "of_ema_1/transformer")
        self.assert_same(read_component(iteration),
                         {torch_files.official_transformer_name(name): tensor for name, tensor in averaged.items()})
        self.assertIn("--model", self.convert(trained, "no_vae", code=64))
        self.assertIn("one step", self.convert(trained / "iter_0000001", "two", "--step", 2, "--model", MODEL, code=64))
        self.assertIn("iteration 7", self.convert(trained, "seven", "--step", 7, "--model", MODEL, code=66))

    def test_another_vae_than_recorded_is_refused(self):
        checkpoint = self.convert(self.model, "knows_its_vae")
        other = self.folder / "other_vae"
        shutil.copytree(self.model, other)
        tensors = read_raw(other / "vae" / WEIGHTS)
        name = sorted(tensors)[0]
        dtype, shape, data = tensors[name]
        tensors[name] = (dtype, shape, bytes([data[0] ^ 1]) + data[1:])
        write_raw(tensors, other / "vae" / WEIGHTS)
        self.assertIn("vae_hash", self.convert(checkpoint, "wrong_vae", "--model", other, code=65))

    def test_nothing_is_replaced_or_written_without_need(self):
        (self.folder / "there").mkdir()
        (self.folder / "there/mine").write_text("mine")
        run("wan-convert", "--from", self.model, "--to", self.folder / "there", code=73)
        self.assertEqual([path.name for path in (self.folder / "there").iterdir()], ["mine"])
        (self.folder / "new.tmp").mkdir()
        (self.folder / "new.tmp/mine").write_text("mine")
        run("wan-convert", "--from", self.model, "--to", self.folder / "new", code=73)
        self.assertEqual((self.folder / "new.tmp/mine").read_text(), "mine")
        for source in (self.model, self.official_of("F32")):
            said = run("wan-convert", "--from", source, "--to", self.folder / "dry", "--dry-run", environment={"WAN_DEVICE": "cuda"})
            self.assertRegex(said, "nothing written")
            self.assertFalse((self.folder / "dry").exists() or (self.folder / "dry.tmp").exists())

    def test_what_does_not_fit_is_named(self):
        tensors = in_dtype(self.values, "F32")
        less = dict(tensors)
        del less["blocks.3.attn2.to_k.bias"]
        wrong = {"missing": (less, ["blocks.3.attn2.to_k.bias", r"\[128\]"]),
                 "extra": ({**tensors, "blocks.9.ffn.net.2.bias": tensors["proj_out.bias"]}, ["blocks.9.ffn.net.2.bias"]),
                 "shape": ({**tensors, "proj_out.bias": ("F32", (32,), bytes(128))}, ["proj_out.bias", r"\[32\]", r"\[64\]"]),
                 "dtype": ({**tensors, "proj_out.bias": ("I64", (64,), bytes(512))}, ["proj_out.bias", "int64", "bf16"])}
        for name, (content, words) in wrong.items():
            model = self.folder / f"wrong_{name}"
            shutil.copytree(MODEL, model)
            write_raw(content, model / "transformer" / WEIGHTS)
            said = self.convert(model, f"refused_{name}", code=65)
            for word in words:
                self.assertRegex(said, word)
        (self.folder / "empty").mkdir()
        self.assertIn("transformer/config.json", self.convert(self.folder / "empty", "refused", code=66))
        self.assertIn("nowhere", self.convert(self.folder / "nowhere", "refused", code=66))
        self.assertIn("--step", self.convert(self.model, "refused", "--step", 1, code=64))
        self.assertIn("--weights", self.convert(self.official_of("F32"), "refused", "--weights", "raw", code=64))
        self.assertIn("5GB", self.convert(self.model, "refused", "--max-shard-size", "much", code=64))

    def test_state_dicts_that_are_none(self):
        official = self.folder / "broken_official"
        shutil.copytree(self.official_of("F32"), official)
        whole = (official / "Wan2.1_VAE.pth").read_bytes()
        vae = {torch_files.official_vae_name(name, VAE_BLOCKS): tensor for name, tensor in read_raw(MODEL / "vae" / WEIGHTS).items()}
        torch_files.save_state_dict(vae, self.folder / "deflated.pth", zipfile.ZIP_DEFLATED)
        for name, content, word in [("cut", whole[:len(whole) // 2], "zip"), ("packed", (self.folder / "deflated.pth").read_bytes(),
                                    "compressed"), ("calls", whole.replace(b"_rebuild_tensor_v2", b"_rebuild_tensor_v9"), "v9")]:
            (official / "Wan2.1_VAE.pth").write_bytes(content)
            said = self.convert(official, f"refused_{name}", code=65)
            self.assertIn("Wan2.1_VAE.pth", said)
            self.assertIn(word, said)
        (official / "Wan2.1_VAE.pth").unlink()
        self.assertIn("Wan2.1_VAE.pth", self.convert(official, "refused_missing", code=66))
        # Without its VAE it is still a transformer.
        self.convert(official, "transformer_alone", "--to-format", "checkpoint")

    def large_model(self):
        """A model folder with a transformer of 337 MB, no tensor being a tenth of it."""
        folder = self.folder / "large"
        if folder.exists():
            return folder
        shutil.copytree(MODEL, folder)
        config = json.loads((MODEL / "transformer/config.json").read_text())
        config.update(num_attention_heads=32, ffn_dim=2048, num_layers=6)
        (folder / "transformer/config.json").write_text(json.dumps(config))
        noise = np.random.default_rng(1).bytes(1 << 22)
        tensors = {}
        for name, value in self.values.items():
            shape = tuple({128: 1024, 512: 2048, 768: 6144}.get(extent, extent) for extent in value.shape)
            bytes_needed = 4 * math.prod(shape)
            tensors[name] = ("F32", shape, (noise * (bytes_needed // len(noise) + 1))[:bytes_needed])
        write_raw(tensors, folder / "transformer" / WEIGHTS)
        return folder

    def test_memory_does_not_grow_with_the_model(self):
        large = self.large_model()
        bytes_of_it = (large / "transformer" / WEIGHTS).stat().st_size
        self.assertGreater(bytes_of_it, 330_000_000)
        for source, name, format_ in [(large, "large_there", "checkpoint"), (self.folder / "large_there", "large_back", "diffusers")]:
            peak = self.peak_bytes("--from", source, "--to", self.folder / name, "--to-format", format_)
            # The programs and libraries take some 50 MB, a part of a tensor 8 MiB.
            self.assertLess(peak, 130_000_000, name)
        self.assert_same(read_component(self.folder / "large_back/transformer"), read_component(large / "transformer"))

    def peak_bytes(self, *flags):
        """Highest resident size: of its own memory alone, unlike ru_maxrss, which begins with that of this process."""
        child = subprocess.Popen([str(BIN / "wan-convert"), *map(str, flags)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak = 0
        while child.poll() is None:
            try:
                status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
                program = os.path.realpath(f"/proc/{child.pid}/exe")
            except FileNotFoundError:  # it ended between two looks
                continue
            if program == os.path.realpath(BIN / "wan-convert") and "VmHWM" in status:
                peak = max(peak, 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]))
            time.sleep(0.005)
        self.assertEqual(child.returncode, 0)
        self.assertGreater(peak, 0)
        return peak

    def test_a_killed_conversion_leaves_nothing_under_the_name(self):
        target = self.folder / "killed"
        command = [str(BIN / "wan-convert"), "--from", str(self.large_model()), "--to", str(target)]
        child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while not target.with_name("killed.tmp").exists() and child.poll() is None:
            time.sleep(0.002)
        other = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        child.send_signal(signal.SIGKILL)
        self.assertEqual(child.wait(), -signal.SIGKILL)
        self.assertEqual(other.returncode, 73)
        self.assertIn("another wan-convert", other.stderr)
        self.assertFalse(target.exists())
        subprocess.run(command, check=True)
        self.assertFalse(target.with_name("killed.tmp").exists())
        self.assertIn("all hashes agree", run("wan-inspect", "checkpoint", target, "--verify"))


if __name__ == "__main__":
    unittest.main()

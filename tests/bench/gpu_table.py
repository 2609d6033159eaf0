#!/usr/bin/env python3
"""Ours against PyTorch + diffusers on one GPU, in turn: gpu_table.py DIT_STEP RESULT.jsonl [--rounds N] [--peer PYTHON] [ROW ...]

Appends a JSON line per row to RESULT and prints the rows as a Markdown table. Every figure is the median over the rounds, each of them
a median over repetitions. Ours also tells the time of the matrix and attention kernels alone, which no fusion around them can beat.
Without --peer, or where that Python has no torch and diffusers, ours runs alone.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

SMALL = {"num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30}
LARGE = {"num_attention_heads": 40, "ffn_dim": 13824, "num_layers": 40}
COMMON = {"_class_name": "WanTransformer3DModel", "added_kv_proj_dim": None, "attention_head_dim": 128, "cross_attn_norm": True, "eps": 1e-06,
          "freq_dim": 256, "in_channels": 16, "out_channels": 16, "patch_size": [1, 2, 2], "qk_norm": "rms_norm_across_heads",
          "rope_max_seq_len": 1024, "text_dim": 4096}
CLIP = ["--grid", "21,30,52", "--text", "512"]  # 81 x 480 x 832: 32,760 tokens
LONG = ["--grid", "24,30,52", "--text", "512"]  # 37,440 tokens
# name: (model, our flags, our key, the peer's measurement, flags of both, largest ratio that is good enough)
ROWS = {
    "1.3B-forward": (SMALL, ["--steps", "forward"], "forward_ms", "forward", CLIP, 0.92),
    "1.3B-train": (SMALL, ["--steps", "train", "--recompute", "norms"], "train_step_ms", "train", CLIP, 0.93),
    "1.3B-train-34GiB": (SMALL, ["--steps", "train", "--recompute", "keep_attention"], "train_step_ms", "train_checkpointed", CLIP, 0.85),
    "14B-8-train": (LARGE, ["--steps", "train", "--recompute", "none"], "train_step_ms", "train", LONG + ["--layers", "8"], 1 / 1.07),
    "14B-forward": (LARGE, ["--steps", "forward"], "forward_ms", "forward", CLIP, 0.95),
    "1.3B-train-60-rows": (SMALL, ["--steps", "train", "--recompute", "norms"], "train_step_ms", None,
                           ["--grid", "21,30,52", "--text", "60"], None),
}
KERNELS = re.compile(r"^\s*([\d.]+) ms +[\d.]+ calls  (linear_\w+|attention_\w+)", re.MULTILINE)


def output_of(command, environment=None):
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])


def peer_can_run(python):
    return python is not None and subprocess.run([python, "-c", "import torch, diffusers"], capture_output=True).returncode == 0


def clocks():
    query = ["nvidia-smi", "--query-gpu=clocks.sm,clocks.mem,power.draw,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def measure(name, dit_step, python, rounds):
    model, flags, key, what, shape, most = ROWS[name]
    environment = dict(os.environ, WAN_DEVICE="cuda")
    ours, peers = [], []
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "transformer", "config.json")
        config.parent.mkdir()
        config.write_text(json.dumps({**COMMON, **model}), encoding="utf-8")
        command = [dit_step, folder, "1", "--bf16", *flags, *shape, "--runs", "5"]
        script = str(pathlib.Path(__file__).with_name("peer_gpu.py"))
        for _ in range(rounds):
            ours.append(last_json(output_of(command, environment)))
            if python and what:
                peers.append(last_json(output_of([python, script, str(config), what, *shape])))
        listed = output_of([*command, "--ops"], environment)
    row = {"row": name, "rounds": rounds, "tokens": ours[0]["tokens"], "ours_ms": statistics.median(one[key] for one in ours),
           "library_kernels_ms": sum(float(ms) for ms, _ in KERNELS.findall(listed)), "device": ours[0]["device"], "clocks": clocks()}
    if "train_device_gib" in ours[0]:
        row["ours_gib"] = ours[0]["train_device_gib"]
    if peers:
        row.update(peer_ms=statistics.median(one["ms"] for one in peers), peer_gib=peers[0]["peak_gib"], torch=peers[0]["torch"],
                   cudnn=peers[0]["cudnn"])
        row.update(ratio=row["ours_ms"] / row["peer_ms"], must=most)
    return row


def table_line(row):
    def cell(key, digits):
        return f"{row[key]:.{digits}f}" if key in row else "–"
    must = f"≤ {row['must']:.2f}" if row.get("must") else "–"
    return (f"| {row['row']} | {cell('peer_ms', 0)} | {cell('ours_ms', 0)} | {cell('ratio', 3)} | {must} | {cell('library_kernels_ms', 0)} "
            f"| {cell('peer_gib', 1)} | {cell('ours_gib', 1)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dit_step")
    parser.add_argument("result")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS) + "; all of them if none is named")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", metavar="PYTHON", help="a Python with torch and diffusers")
    arguments = parser.parse_args()
    unknown = [row for row in arguments.rows if row not in ROWS]
    if unknown:
        parser.error(f"found the row {unknown[0]}, allowed: {', '.join(ROWS)}")
    python = arguments.peer if peer_can_run(arguments.peer) else None
    if python is None:
        print("no Python with torch and diffusers: ours alone", file=sys.stderr)
    print("| row | peer ms | ours ms | ratio | must | library kernels ms | peer GiB | ours GiB |\n|---|---|---|---|---|---|---|---|")
    failed = False
    for name in arguments.rows or ROWS:
        row = measure(name, arguments.dit_step, python, arguments.rounds)
        with open(arguments.result, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(table_line(row), flush=True)
        failed |= "ratio" in row and row["ratio"] > row["must"]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Ours against PyTorch + diffusers on this machine's CPU, in turn, as a Markdown table.

python3 tests/bench/cpu_table.py build/host/bin/demo_bench inputs/demo/model [ROUNDS]

Run it with a Python that has torch and diffusers. Ours: 2 MPI ranks of one thread; the peer: 2 threads. Every row is the median over the
rounds, each of them a median over repetitions.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROWS = [  # what, key of the peer, key of ours, largest ratio that is good enough
    ("training step, 512 text rows", "train_step_512_rows_ms", "train_step_ms", 0.35),
    ("training step, 19 text rows", "train_step_19_rows_ms", "train_step_ms", 0.7),
    ("guided sampling step", "guided_step_ms", "guided_step_ms", 0.8),
    ("VAE encode, per clip", "vae_encode_ms", "vae_encode_ms", 0.5),
    ("VAE decode, per clip", "vae_decode_ms", "vae_decode_ms", 0.5),
]


def last_json_line(command):
    environment = dict(os.environ, OMP_WAIT_POLICY="passive") if "mpirun" in command[0] else None
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return json.loads(output.strip().splitlines()[-1])


def main():
    bench, model = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    flags = ["--bind-to", "none"] + (["--allow-run-as-root"] if os.geteuid() == 0 else [])
    ours, peer = [], []
    for _ in range(rounds):
        ours.append(last_json_line(["mpirun", "-n", "2", *flags, bench, model]))
        peer.append(last_json_line([sys.executable, str(pathlib.Path(__file__).with_name("peer_cpu.py")), model, "2"]))
    print(f"| {rounds} rounds in turn, torch {peer[0]['torch']} | peer ms | ours ms | ratio | must |\n|---|---|---|---|---|")
    failed = False
    for what, peer_key, our_key, most in ROWS:
        theirs = statistics.median(row[peer_key] for row in peer)
        mine = statistics.median(row[our_key] for row in ours)
        failed |= mine / theirs > most
        print(f"| {what} | {theirs:.1f} | {mine:.1f} | {mine / theirs:.2f} | ≤ {most} |")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

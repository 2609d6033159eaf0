#!/usr/bin/env python3
"""A plain diffusers and PyTorch trainer that repeats a run of wan-train: same clips, initial weights, order, noise levels, noise, text
dropout, learning rates. It writes metrics.jsonl as wan-train does, so that analysis/ reads both.

torch_trainer.py RUN --weights CHECKPOINT --out FOLDER [--device cuda] [--precision bf16]

RUN is the run folder to repeat (its config.yaml says everything, the data set's folder too), CHECKPOINT the folder of a checkpoint whose
model.h5 holds the initial weights: one step at a learning rate of 0 writes it. --precision bf16 is autocast over fp32 weights. Needs
torch, diffusers, h5py, numpy and PyYAML.
"""
import argparse
import collections
import json
import math
import pathlib
import re
import sys
import time

import h5py
import numpy as np
import torch
import yaml
from diffusers import WanTransformer3DModel

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "analysis"))
import random_numbers  # noqa: E402

TEXT_ROWS = 512  # what Wan's cross attention sees, padding included


class RunFile(yaml.SafeLoader):
    """YAML whose 1e-05 is a number, as in YAML 1.2; PyYAML follows 1.1 and takes it for a text."""


RunFile.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789"))

Clip = collections.namedtuple("Clip", "id latent text")


def clips(folder):
    """The clips of the train split in the order of index.h5, and the empty prompt's embedding [rows, width]; all fp32."""
    folder = pathlib.Path(folder)
    with h5py.File(folder / "index.h5", "r") as index:
        rows = {name: index[f"rows/{name}"][...] for name in ("id", "split", "text_rows")}
        slabs = {name: index[f"slabs/{name}"][...] for name in
                 ("latent_file", "latent_dataset", "latent_offset", "text_file", "text_dataset", "text_offset")}
        names = {}
        for kind in ("files", "datasets"):
            pool, at = index[f"slabs/{kind}"][...].tobytes(), index[f"slabs/{kind}_offset"][...]
            names[kind] = [pool[a:b].decode() for a, b in zip(at, at[1:])]
    opened = {name: h5py.File(folder / name, "r") for name in names["files"]}

    def slab(kind, row):
        return opened[names["files"][slabs[kind + "_file"][row]]][names["datasets"][slabs[kind + "_dataset"][row]]], \
            int(slabs[kind + "_offset"][row])

    out = []
    for row in np.flatnonzero(rows["split"] == 0):
        latents, place = slab("latent", row)
        texts, first = slab("text", row)
        out.append(Clip(int(rows["id"][row]), np.asarray(latents[place], np.float32),
                        np.asarray(texts[first:first + rows["text_rows"][row]], np.float32)))
    null_text = np.asarray(next(iter(opened.values()))["null_text"][...], np.float32)
    return out, null_text


def steps(train, seed, batch):
    """Without end, the (clip, visit) pairs of each step; a step may reach into the next epoch."""
    epoch, rest = 0, []
    ids = [clip.id for clip in train]
    while True:
        while len(rest) < batch:
            rest += [(train[index], epoch) for index in random_numbers.epoch_order(seed, ids, epoch)]
            epoch += 1
        yield rest[:batch]
        rest = rest[batch:]


def learning_rate(config, done):
    """After `done` finished steps, as Megatron's scheduler has it."""
    optimizer, scheduler = config["optimizer"], config["scheduler"]
    end = scheduler["lr_decay_iters"] or config["train"]["train_iters"]
    warmup = scheduler["lr_warmup_iters"]
    warmup = min(end // 5, 2000) if warmup is None else warmup
    high, first = optimizer["lr"], scheduler["lr_warmup_init"]
    low = 0.1 * high if optimizer["min_lr"] is None else optimizer["min_lr"]
    if warmup > 0 and done <= warmup:
        return first + (high - first) * done / warmup
    if scheduler["lr_decay_style"] == "constant":
        return high
    if done > end:
        return low
    share = (done - warmup) / (end - warmup)
    left = 1 - share if scheduler["lr_decay_style"] == "linear" else 0.5 * (math.cos(math.pi * share) + 1)
    return low + left * (high - low)


def network(config, weights):
    """The model with the weights of a checkpoint; every one of them must be there, in its shape."""
    model = config["model"]
    heads = model["num_attention_heads"]
    net = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=heads, attention_head_dim=model["kv_channels"] or model["hidden_size"] // heads,
        in_channels=model["in_channels"], out_channels=model["out_channels"], text_dim=model["text_dim"], freq_dim=model["freq_dim"],
        ffn_dim=model["ffn_hidden_size"], num_layers=model["num_layers"], cross_attn_norm=True,
        qk_norm="rms_norm_across_heads", eps=model["layernorm_epsilon"])
    with h5py.File(pathlib.Path(weights) / "model.h5", "r") as file:
        stored = {name: torch.from_numpy(np.asarray(file[f"transformer/{name}"][...], np.float32)) for name, _ in net.named_parameters()}
    net.load_state_dict(stored, strict=True)
    return net.float()


def refuse_what_differs(config):
    """What wan-train can do and this script does not repeat."""
    if config["dataset"]["packing_buffer_size"] is not None or config["dataset"]["mock"]:
        raise SystemExit("torch_trainer.py: found packing or mock data, allowed: dataset.packing_buffer_size=null with a data set")


def draw(config, clip, visit, null_text):
    """What a visit trains on: (noisy, target, timestep, text [512, width], weight)."""
    flow, seed = config["flow_matching"], config["rng"]["seed"]
    sigma, timestep, dropped = random_numbers.training_draw(
        seed, clip.id, visit, flow["timestep_sampling"], flow["logit_mean"], flow["logit_std"], flow["flow_shift"],
        flow["mix_uniform_ratio"], flow["sigma_min"], flow["sigma_max"], flow["text_dropout"])
    noise = random_numbers.normals(seed, clip.id, visit, "noise", clip.latent.size).reshape(clip.latent.shape)
    rows = null_text if dropped else clip.text
    text = np.zeros((TEXT_ROWS, rows.shape[1]), np.float32)
    text[:len(rows)] = rows
    weight = 1 + flow["flow_shift"] * float(sigma) if flow["use_loss_weighting"] else 1.0
    return (1 - sigma) * clip.latent + sigma * noise, noise - clip.latent, timestep, text, weight


def groups(config, visits, null_text):
    """The step's draws in batches of one latent shape, no larger than the run's micro batch, as torch tensors on the host."""
    by_shape = collections.defaultdict(list)
    for clip, visit in visits:
        by_shape[clip.latent.shape].append(draw(config, clip, visit, null_text))
    micro = config["train"]["micro_batch_size"]
    for draws in by_shape.values():
        for first in range(0, len(draws), micro):
            yield [torch.from_numpy(np.stack(column).astype(np.float32)) for column in zip(*draws[first:first + micro])]


def train(config, net, data, null_text, device, precision):
    """Yields the metrics of each step."""
    settings = config["optimizer"]
    decayed = [p for p in net.parameters() if p.dim() >= 2]
    others = [p for p in net.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": settings["weight_decay"]}, {"params": others, "weight_decay": 0.0}],
                                  lr=0.0, betas=(settings["adam_beta1"], settings["adam_beta2"]), eps=settings["adam_eps"])
    order = steps(data, config["rng"]["seed"], config["train"]["global_batch_size"])
    for done in range(config["train"]["train_iters"]):
        begin = time.perf_counter()
        visits = next(order)
        elements = sum(clip.latent.size for clip, _ in visits)
        rate = learning_rate(config, done)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        weighted = raw = 0.0
        for batch in groups(config, visits, null_text):
            noisy, target, timestep, text, weight = (tensor.to(device) for tensor in batch)
            with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bf16"):
                prediction = net(noisy, timestep, text, return_dict=False)[0]
            squares = ((prediction.float() - target) ** 2).flatten(1).sum(1)
            loss = (weight * squares).sum() / elements
            loss.backward()
            weighted += float(loss.detach())
            raw += float(squares.detach().sum()) / elements
        limit = settings["clip_grad"] or math.inf
        norm = float(torch.nn.utils.clip_grad_norm_(net.parameters(), limit))
        optimizer.step()
        yield {"kind": "train", "step": done + 1, "loss": weighted, "loss_unweighted": raw, "grad_norm": norm, "lr": rate,
               "step_ms": 1e3 * (time.perf_counter() - begin)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--weights", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    args = parser.parse_args()
    config = yaml.load((args.run / "config.yaml").read_text(encoding="utf-8"), RunFile)
    refuse_what_differs(config)
    data, null_text = clips(config["dataset"]["path"])
    net = network(config, args.weights).to(args.device).train()
    args.out.mkdir(parents=True, exist_ok=True)
    with open(args.out / "metrics.jsonl", "w", encoding="utf-8") as file:
        for line in train(config, net, data, null_text, args.device, args.precision):
            file.write(json.dumps(line) + "\n")
            if line["step"] % 20 == 0:
                print(f"step={line['step']} loss={line['loss']:.6g} grad_norm={line['grad_norm']:.6g}", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Makes the reference cases of tests/parity/cases that are not the oldest ones: make_cases.py FOLDER [NAME...]

Needs torch, diffusers and transformers (made with 2.15, 0.42 and 5.23), which no test does. Weights and inputs are
random by a seed. Truth is the reference in fp64 with the casts to fp32 inside it neutralised, stored as fp32;
reference_error says how far the reference itself is from it in fp32 and bf16 (relative L2).
"""

import contextlib
import json
import pathlib
import sys

import numpy as np
import torch
from diffusers import (
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    UniPCMultistepScheduler,
    WanTransformer3DModel,
)
from safetensors.torch import save_file
from transformers import UMT5Config, UMT5EncoderModel

TEXT_SLOTS = 512


@contextlib.contextmanager
def everything_in_fp64():
    """What the reference asks for in fp32 it gets in fp64."""
    method, name, short = torch.Tensor.float, torch.float32, torch.float
    torch.Tensor.float = torch.Tensor.double
    torch.float32 = torch.float = torch.float64
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.Tensor.float, torch.float32, torch.float = method, name, short
        torch.set_default_dtype(torch.float32)


def randomise(model, generator):
    for name, parameter in model.named_parameters():
        values = torch.randn(parameter.shape, generator=generator)
        if name.endswith("gamma") or ("norm" in name and name.endswith("weight")):
            values = 1 + 0.15 * values
        elif parameter.dim() == 1 or "scale_shift_table" in name:
            values = 0.12 * values
        elif "relative_attention_bias" in name:
            values = 0.7 * values
        elif not name.startswith("shared"):
            values = values / np.sqrt(parameter[0].numel())
        with torch.no_grad():
            parameter.copy_(values)


def relative_l2(found, truth):
    found, truth = found.double(), truth.double()
    size = truth.norm()
    return float((found - truth).norm() / size) if size > 0 else float((found - truth).norm())


def at_all_precisions(run):
    """run(dtype) -> tensors by name; returns the truth and the reference's own errors."""
    with everything_in_fp64():
        truth = run(torch.float64)
    errors = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        found = run(dtype)
        errors[name] = {tensor: float(f"{relative_l2(found[tensor], truth[tensor]):.3g}") for tensor in truth}
    return {name: tensor.to(torch.float32) for name, tensor in truth.items()}, errors


def write(folder, description, weights, tensors):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "case.json").write_text(json.dumps(description, indent=1) + "\n")
    if weights:
        save_file(
            {name: w.detach().contiguous().clone() for name, w in weights.items()},
            folder / "weights.safetensors",
        )
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "io.safetensors")


def dit(folder, seed, config, grid, text_lengths, timesteps):
    generator = torch.Generator().manual_seed(seed)
    config = {
        "patch_size": [1, 2, 2],
        "qk_norm": "rms_norm_across_heads",
        "cross_attn_norm": True,
        "eps": 1e-6,
        **config,
    }

    def build(dtype=torch.float32):
        return WanTransformer3DModel(**{**config, "patch_size": (1, 2, 2)}).to(dtype)

    model = build()
    randomise(model, generator)
    weights = model.state_dict()
    frames, rows, columns = grid
    size = (frames, 2 * rows, 2 * columns)
    latent = torch.randn(len(timesteps), config["in_channels"], *size, generator=generator)
    target = torch.randn(len(timesteps), config["out_channels"], *size, generator=generator)
    context = torch.randn(len(timesteps), TEXT_SLOTS, config["text_dim"], generator=generator)
    for sample, length in enumerate(text_lengths):
        context[sample, length:] = 0
    timestep = torch.tensor(timesteps, dtype=torch.float32)

    def run(dtype):
        model = build(dtype)
        model.load_state_dict(weights)
        wide = torch.float64 if dtype == torch.float64 else torch.float32
        output = model(latent.to(dtype), timestep.to(wide), context.to(dtype), return_dict=False)[0]
        loss = ((output.to(wide) - target.to(wide)) ** 2).mean()
        loss.backward()
        gradients = {"grad." + name: parameter.grad for name, parameter in model.named_parameters()}
        return {"output": output.detach(), "loss": loss.detach().reshape(1), **gradients}

    truth, errors = at_all_precisions(run)
    description = {
        "kind": "dit",
        "config": config,
        "text_lengths": text_lengths,
        "loss": "mean((output-target)^2)",
    }
    inputs = {"latent": latent, "context": context, "target": target, "timestep": timestep}
    write(folder, {**description, "reference_error": errors}, weights, {**inputs, **truth})


def umt5(folder, seed, config, lengths):
    generator = torch.Generator().manual_seed(seed)
    config = {"feed_forward_proj": "gated-gelu", "layer_norm_epsilon": 1e-6, **config}

    def build():
        return UMT5EncoderModel(UMT5Config(**config, dropout_rate=0.0, decoder_start_token_id=0)).eval()

    model = build()
    randomise(model, generator)
    weights = {name: w for name, w in model.state_dict().items() if name != "encoder.embed_tokens.weight"}
    ids = torch.randint(3, config["vocab_size"], (len(lengths), max(lengths)), generator=generator)
    mask = torch.zeros_like(ids)
    for prompt, length in enumerate(lengths):
        mask[prompt, :length] = 1
    ids = ids * mask

    def run(dtype):
        model = build()
        model.load_state_dict(weights, strict=False)
        with torch.no_grad():
            hidden = model.to(dtype)(input_ids=ids, attention_mask=mask).last_hidden_state
        return {"hidden": hidden * mask[..., None].to(dtype)}

    truth, errors = at_all_precisions(run)
    description = {
        "kind": "text",
        "config": config,
        "lengths": lengths,
        "note": "hidden rows past the length are zeroed",
    }
    write(folder, {**description, "reference_error": errors}, weights, {"ids": ids, **truth})


def vae(folder, seed, config, sizes):
    generator = torch.Generator().manual_seed(seed)
    config = {"attn_scales": [], "temperal_downsample": [False, True, True], "dropout": 0.0, **config}
    latents = config["z_dim"]

    def build():
        statistics = {"latents_mean": [0.0] * latents, "latents_std": [1.0] * latents}
        return AutoencoderKLWan(**config, **statistics).eval()

    model = build()
    randomise(model, generator)
    weights = model.state_dict()
    inputs = {}
    for i, (frames, rows, columns) in enumerate(sizes):
        inputs[f"{i}.video"] = torch.rand(1, 3, frames, rows, columns, generator=generator) * 2 - 1
        size = ((frames - 1) // 4 + 1, rows // 8, columns // 8)
        inputs[f"{i}.latent"] = torch.randn(1, latents, *size, generator=generator)

    def run(dtype):
        model = build()
        model.load_state_dict(weights)
        model.to(dtype)
        out = {}
        with torch.no_grad():
            for i in range(len(sizes)):
                posterior = model.encode(inputs[f"{i}.video"].to(dtype)).latent_dist
                out[f"{i}.mean"] = posterior.mean
                out[f"{i}.logvar"] = posterior.logvar
                out[f"{i}.decoded"] = model.decode(inputs[f"{i}.latent"].to(dtype)).sample
        return out

    truth, errors = at_all_precisions(run)
    note = "mean is not normalised by latents_mean/std; decoded is clamped to [-1,1]; no tiling"
    description = {"kind": "vae", "config": config, "sizes": sizes, "note": note}
    write(folder, {**description, "reference_error": errors}, weights, {**inputs, **truth})


def sampler(folder, seed, solver, source, steps, shift):
    """`source` names the sigma grid; those of diffusers 0.36 and of the official code are handed to today's scheduler."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(1, 4, 3, 4, 4, generator=generator)
    field = torch.randn(1, 4, 3, 4, 4, generator=generator)
    if solver == "unipc":
        scheduler = UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
        )
    else:
        scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    if source == "official":
        first = 1.0 if solver == "euler" else float(np.float32(0.999))
        scheduler.set_timesteps(sigmas=np.linspace(first, 0, steps + 1)[:-1])
    elif source == "diffusers 0.36 sigma grid" and solver == "unipc":
        scheduler.set_timesteps(sigmas=(1 - np.linspace(1, 1 / 1000, steps + 1))[::-1][:-1].copy())
    else:
        scheduler.set_timesteps(steps)
    x, trajectory = noise.double(), []
    for t in scheduler.timesteps:
        velocity = torch.tanh(0.7 * x + field.double()) * (0.5 + float(t) / 1000)
        x = scheduler.step(velocity, t, x, return_dict=False)[0]
        trajectory.append(x.to(torch.float32))
    description = {"kind": "sampler", "solver": solver, "steps": steps, "shift": shift, "source": source}
    tensors = {"noise": noise, "field": field, "trajectory": torch.stack(trajectory)}
    tables = {"sigmas": scheduler.sigmas.double(), "timesteps": scheduler.timesteps.double()}
    write(
        folder,
        {**description, "velocity": "tanh(0.7*x + field) * (0.5 + t/1000)"},
        None,
        {**tensors, **tables},
    )


def dit_config(heads, head_dim, layers, ffn, channels, text, freq):
    config = {
        "num_attention_heads": heads,
        "attention_head_dim": head_dim,
        "num_layers": layers,
        "ffn_dim": ffn,
    }
    return {
        **config,
        "in_channels": channels[0],
        "out_channels": channels[1],
        "text_dim": text,
        "freq_dim": freq,
    }


def umt5_config(vocabulary, model, kv, ff, layers, heads, buckets, distance):
    config = {
        "vocab_size": vocabulary,
        "d_model": model,
        "d_kv": kv,
        "d_ff": ff,
        "num_layers": layers,
        "num_heads": heads,
    }
    return {**config, "relative_attention_num_buckets": buckets, "relative_attention_max_distance": distance}


# Sizes that are multiples of nothing, single rows and columns, no text and all of it, distances far beyond the last
# bucket, and time steps that meet an integer by one rounding.
CASES = {
    "dit_odd": lambda to: dit(
        to, 1, dit_config(3, 10, 1, 37, (5, 3), 7, 30), (1, 5, 7), [1, 512, 0], [0.0, 1000.0, 0.5]
    ),
    "dit_deep": lambda to: dit(
        to, 2, dit_config(1, 14, 4, 29, (4, 4), 5, 64), (3, 3, 5), [19, 300], [737.25, 12.0]
    ),
    "umt5_long": lambda to: umt5(to, 3, umt5_config(50, 17, 5, 21, 2, 3, 30, 100), [300, 40, 1]),
    "vae_narrow": lambda to: vae(
        to,
        4,
        {"base_dim": 3, "z_dim": 5, "dim_mult": [1, 1, 2, 3], "num_res_blocks": 1},
        [[1, 8, 24], [9, 24, 8], [33, 8, 16]],
    ),
    "unipc_036_3": lambda to: sampler(to, 5, "unipc", "diffusers 0.36 sigma grid", 3, 1.0),
    "unipc_official_7": lambda to: sampler(to, 6, "unipc", "official", 7, 8.0),
    "unipc_1": lambda to: sampler(to, 7, "unipc", "diffusers 0.42 sigma grid", 1, 5.0),
    "euler_official_5": lambda to: sampler(to, 8, "euler", "official", 5, 0.5),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:] or CASES:
        CASES[name](folder / name)


main()

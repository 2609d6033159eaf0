#!/usr/bin/env python3
"""Wan's transformer on one GPU as a user would run it otherwise: diffusers on PyTorch, cuDNN attention, each block compiled.

peer_gpu.py CONFIG_JSON forward|train|train_checkpointed [--grid F,R,C] [--text ROWS] [--layers N] [--runs N]

Random bf16 weights, a sample of F x R x C tokens, ROWS text rows. Prints one JSON line: median milliseconds, peak GiB, versions.
The training step is forward, mean square, backward and fused AdamW, all in bf16: no fp32 masters, which is kinder than ours.
"""
import argparse
import json
import statistics
import time
import warnings

warnings.filterwarnings("ignore")
import torch  # noqa: E402
from diffusers import WanTransformer3DModel  # noqa: E402


def median_ms(action, runs, warm_up=2):
    times = []
    for run in range(warm_up + runs):
        torch.cuda.synchronize()
        start = time.perf_counter()
        action()
        torch.cuda.synchronize()
        if run >= warm_up:
            times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def build(arguments):
    with open(arguments.config, encoding="utf-8") as file:
        config = {key: value for key, value in json.load(file).items() if not key.startswith("_")}
    if arguments.layers:
        config["num_layers"] = arguments.layers
    torch.manual_seed(0)
    with torch.device("cuda"):
        net = WanTransformer3DModel(**config).to(torch.bfloat16)
    net.set_attention_backend("_native_cudnn")
    frames, rows, columns = map(int, arguments.grid.split(","))
    latents = torch.randn(1, config["in_channels"], frames, 2 * rows, 2 * columns, device="cuda", dtype=torch.bfloat16)
    timestep = torch.tensor([500.0], device="cuda")
    text = torch.randn(1, arguments.text, config["text_dim"], device="cuda", dtype=torch.bfloat16)
    return net, lambda: net(latents, timestep, text, return_dict=False)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("what", choices=["forward", "train", "train_checkpointed"])
    parser.add_argument("--grid", default="21,30,52")
    parser.add_argument("--text", type=int, default=512)
    parser.add_argument("--layers", type=int, default=0)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    net, predict = build(arguments)
    if arguments.what == "train_checkpointed":
        net.enable_gradient_checkpointing()
    for i, block in enumerate(net.blocks):
        net.blocks[i] = torch.compile(block)
    if arguments.what == "forward":
        net.eval()
        with torch.no_grad():
            ms = median_ms(predict, arguments.runs)
    else:
        net.train()
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-5, fused=True)

        def step():
            predict().float().pow(2).mean().backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

        ms = median_ms(step, arguments.runs)
    print(json.dumps({"ms": ms, "peak_gib": torch.cuda.max_memory_allocated() / 2**30, "torch": torch.__version__,
                      "cudnn": torch.backends.cudnn.version(), "gpu": torch.cuda.get_device_name()}))


if __name__ == "__main__":
    main()

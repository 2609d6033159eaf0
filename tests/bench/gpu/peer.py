#!/usr/bin/env python3
"""Wan on one GPU as a user would run it otherwise: diffusers on PyTorch, cuDNN attention, each block compiled.

peer.py dit CONFIG_JSON [--grid F,R,C] [--text ROWS] [--layers N]    answers forward, train, train_checkpointed
peer.py vae [--size HEIGHT,WIDTH] [--frames N]                       answers encode, decode
peer.py umt5 [--text TOKENS]                                         answers umt5-1, umt5-8
torchrun --nproc-per-node N peer.py fsdp CONFIG_JSON [...]           measures at once: a step of FSDP2, checkpointed, a sample a GPU

Reads lines from standard input. `start` builds the model with random bf16 weights; every further line, NAME WARM_UP RUNS, measures and is
answered by one JSON line: all times in milliseconds, peak GiB, GiB still reserved. Every request of one process has the same shapes, so
that compiled code is specialised to them. The training step is forward, mean square, backward and fused AdamW, all in bf16: no fp32
masters, which is kinder to it than ours. --device cpu, with a small configuration, tries the script itself.
"""
import argparse
import contextlib
import gc
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import torch  # noqa: E402


def times_ms(action, warm_up, runs, device, before_timing=lambda: None):
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    for _ in range(warm_up):
        action()
    wait()
    before_timing()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        wait()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def config_of(arguments):
    with open(arguments.config, encoding="utf-8") as file:
        config = {key: value for key, value in json.load(file).items() if not key.startswith("_")}
    if arguments.layers:
        config["num_layers"] = arguments.layers
    return config


def inputs_of(arguments, config, device):
    frames, rows, columns = map(int, arguments.grid.split(","))
    return (torch.randn(1, config["in_channels"], frames, 2 * rows, 2 * columns, device=device, dtype=torch.bfloat16),
            torch.tensor([500.0], device=device),
            torch.randn(1, arguments.text, config["text_dim"], device=device, dtype=torch.bfloat16))


class Denoiser:
    def __init__(self, arguments):
        from diffusers import WanTransformer3DModel
        config = config_of(arguments)
        with torch.device(arguments.device):
            self.net = WanTransformer3DModel(**config)
        self.net = self.net.to(torch.bfloat16)
        if arguments.device == "cuda":
            self.net.set_attention_backend("_native_cudnn")
        self.inputs = inputs_of(arguments, config, arguments.device)
        for i, block in enumerate(self.net.blocks):
            self.net.blocks[i] = torch.compile(block)

    @contextlib.contextmanager
    def ready(self, name):
        """Yields what is timed; nothing but the weights stays behind it."""
        if name == "forward":
            self.net.eval()
            with torch.no_grad():
                yield lambda: self.net(*self.inputs, return_dict=False)
            return
        self.net.train()
        if name == "train_checkpointed":
            self.net.enable_gradient_checkpointing()
        else:
            self.net.disable_gradient_checkpointing()
        optimizer = torch.optim.AdamW(self.net.parameters(), lr=1e-5, fused=True)

        def step():
            self.net(*self.inputs, return_dict=False)[0].float().pow(2).mean().backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

        yield step

    names = ("forward", "train", "train_checkpointed")


class Autoencoder:
    def __init__(self, arguments):
        from diffusers import AutoencoderKLWan
        small = {"base_dim": 16} if arguments.small else {}
        with torch.device(arguments.device):
            self.model = AutoencoderKLWan(**small)
        self.model = self.model.to(torch.bfloat16).eval()
        height, width = map(int, arguments.size.split(","))
        self.video_shape = (1, 3, arguments.frames, height, width)
        self.latent_shape = (1, 16, (arguments.frames - 1) // 4 + 1, height // 8, width // 8)
        self.device = arguments.device

    @contextlib.contextmanager
    def ready(self, name):
        shape = self.video_shape if name == "encode" else self.latent_shape
        values = torch.randn(shape, device=self.device, dtype=torch.bfloat16)
        with torch.no_grad():
            if name == "encode":
                yield lambda: self.model.encode(values).latent_dist.mode()
            else:
                yield lambda: self.model.decode(values).sample

    names = ("encode", "decode")


class TextEncoder:
    def __init__(self, arguments):
        from transformers import UMT5Config, UMT5EncoderModel
        size = dict(d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4) if arguments.small else \
            dict(d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64)
        config = UMT5Config(vocab_size=256384, feed_forward_proj="gated-gelu", **size)
        with torch.device(arguments.device):
            self.model = UMT5EncoderModel(config)
        self.model = self.model.to(torch.bfloat16).eval()
        self.text, self.device = arguments.text, arguments.device

    @contextlib.contextmanager
    def ready(self, name):
        ids = torch.randint(5, 250000, (int(name.split("-")[1]), self.text), device=self.device)
        mask = torch.ones_like(ids)
        with torch.no_grad():
            yield lambda: self.model(ids, mask)

    names = ("umt5-1", "umt5-8")


def versions(device):
    out = {name: sys.modules[name].__version__ for name in ("torch", "diffusers", "transformers") if name in sys.modules}
    if device.startswith("cuda"):
        out["torch_cudnn"] = torch.backends.cudnn.version()
    return out


def memory(device):
    if not device.startswith("cuda"):
        return {}
    return {"peak_gib": torch.cuda.max_memory_allocated() / 2**30, "reserved_gib": torch.cuda.memory_reserved() / 2**30}


def measure(subject, name, warm_up, runs, device):
    if name not in subject.names:
        sys.exit(f"peer.py: found the request {name}, allowed: {', '.join(subject.names)}")
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with subject.ready(name) as action:
        times = times_ms(action, warm_up, runs, device)
    del action
    peak = memory(device)
    # The other side is measured next and may need what the cache holds.
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
    return {"times_ms": times, **peak, **{key: value for key, value in memory(device).items() if key == "reserved_gib"}}


def serve(arguments):
    for line in sys.stdin:
        words = line.split()
        if words == ["start"]:
            torch.manual_seed(0)
            subject = {"dit": Denoiser, "vae": Autoencoder, "umt5": TextEncoder}[arguments.subject](arguments)
            gc.collect()
            if arguments.device == "cuda":
                torch.cuda.empty_cache()
            answer = {"ready": True, **versions(arguments.device), **memory(arguments.device)}
        else:
            answer = measure(subject, words[0], int(words[1]), int(words[2]), arguments.device)
        print(json.dumps(answer), flush=True)


def fsdp(arguments):
    import torch.distributed as dist
    from diffusers import WanTransformer3DModel
    from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
    dist.init_process_group("cpu:gloo,cuda:nccl")
    rank = dist.get_rank()
    torch.cuda.set_device(rank)
    device = torch.device("cuda", rank)
    config = config_of(arguments)
    with torch.device("meta"):
        net = WanTransformer3DModel(**config)
    net.set_attention_backend("_native_cudnn")
    inputs = inputs_of(arguments, config, device)
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    for i, block in enumerate(net.blocks):
        net.blocks[i] = torch.compile(checkpoint_wrapper(block))
        fully_shard(net.blocks[i], mp_policy=policy)
    fully_shard(net, mp_policy=policy)
    net.to_empty(device=device)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.02)
    # Buffers are not parameters: the rotary tables of a model on the meta device hold nothing.
    net.rope = WanTransformer3DModel(num_attention_heads=config["num_attention_heads"], attention_head_dim=config["attention_head_dim"],
                                     ffn_dim=64, num_layers=1).rope.to(device)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-5, fused=True)

    def step():
        net(*inputs, return_dict=False)[0].float().pow(2).mean().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    times = times_ms(step, 2, arguments.runs, "cuda", dist.barrier)
    if rank == 0:
        print(json.dumps({"times_ms": times, "gpus": dist.get_world_size(), **memory("cuda"), **versions("cuda")}), flush=True)
    dist.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=["dit", "vae", "umt5", "fsdp"])
    parser.add_argument("config", nargs="?", help="config.json of a transformer; for dit and fsdp")
    parser.add_argument("--grid", default="21,30,52")
    parser.add_argument("--text", type=int, default=512)
    parser.add_argument("--layers", type=int, default=0)
    parser.add_argument("--size", default="480,832")
    parser.add_argument("--frames", type=int, default=81)
    parser.add_argument("--small", action="store_true", help="toy widths of autoencoder and text encoder")
    parser.add_argument("--runs", type=int, default=5, help="of fsdp")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    arguments = parser.parse_args()
    fsdp(arguments) if arguments.subject == "fsdp" else serve(arguments)


if __name__ == "__main__":
    main()

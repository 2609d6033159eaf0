"""The demo model on the CPU with diffusers, what a user would run otherwise: peer_cpu.py MODEL_FOLDER [THREADS].

Prints one JSON line of milliseconds. Training step: batch 16 of 16x5x8x8 latents, forward, backward, clipping and AdamW, with Wan's 512
text rows and, kinder than Wan's definition, with only the 19 rows that differ. Sampling: one guided step. VAE: one 17x64x64 clip.
"""
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import torch  # noqa: E402
from diffusers import AutoencoderKLWan, WanTransformer3DModel  # noqa: E402


def median_ms(action, runs):
    action()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2] * 1e3


def main():
    folder, threads = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    with open(f"{folder}/transformer/config.json", encoding="utf-8") as file:
        config = {key: value for key, value in json.load(file).items() if not key.startswith("_")}
    net = WanTransformer3DModel(**config)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    vae = AutoencoderKLWan.from_pretrained(f"{folder}/vae").eval()
    latents, velocity = torch.randn(16, 16, 5, 8, 8), torch.randn(16, 16, 5, 8, 8)
    timesteps = torch.rand(16) * 1000
    text = torch.zeros(16, 512, config["text_dim"])
    text[:, :18] = torch.randn(16, 18, config["text_dim"])
    video = torch.rand(1, 3, 17, 64, 64) * 2 - 1

    def train(rows):
        optimizer.zero_grad()
        ((net(latents, timesteps, text[:, :rows], return_dict=False)[0] - velocity) ** 2).mean().backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()

    out = {"torch": torch.__version__, "threads": threads, "train_step_512_rows_ms": median_ms(lambda: train(512), 7),
           "train_step_19_rows_ms": median_ms(lambda: train(19), 7)}
    with torch.no_grad():
        out["guided_step_ms"] = median_ms(lambda: net(latents[:2], timesteps[:2], text[:2, :19], return_dict=False), 15)
        out["vae_encode_ms"] = median_ms(lambda: vae.encode(video), 5)
        latent = vae.encode(video).latent_dist.mode()
        out["vae_decode_ms"] = median_ms(lambda: vae.decode(latent), 5)
    print(json.dumps(out))


if __name__ == "__main__":
    main()

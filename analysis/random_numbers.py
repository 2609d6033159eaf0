#!/usr/bin/env python3
"""The random numbers of a run, in numpy: the reference for random_numbers.md.

python3 random_numbers.py SEED ID STEP PURPOSE COUNT [--out DIR]   prints the first COUNT normals of a stream
"""
import argparse
import pathlib

import numpy as np

PURPOSE = {
    "noise": 1, "sigma": 2, "text_dropout": 3, "order": 4, "initialise": 5, "validation_noise": 6,
    "validation_sigma": 7, "sampling_noise": 8, "posterior": 9, "mock_latent": 10, "mock_text": 11,
    "demo_clip": 12,
}
MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1


def mix64(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK64
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK64
    return x ^ (x >> 31)


def blocks(seed, identity, step, purpose, first, count):
    """Blocks first .. first + count - 1 of a stream as a [count, 4] array of uint32."""
    key = mix64(mix64(seed & MASK64) ^ (identity & MASK64))
    k0, k1 = np.uint32(key & MASK32), np.uint32(key >> 32)
    block = np.uint64(first) + np.arange(count, dtype=np.uint64)
    c0, c1 = (block & np.uint64(MASK32)).astype(np.uint32), (block >> np.uint64(32)).astype(np.uint32)
    c2 = np.full(count, step, np.uint32)
    c3 = np.full(count, PURPOSE[purpose], np.uint32)
    with np.errstate(over="ignore"):
        for _ in range(10):
            p0 = np.uint64(0xD2511F53) * c0.astype(np.uint64)
            p1 = np.uint64(0xCD9E8D57) * c2.astype(np.uint64)
            c0, c1, c2, c3 = ((p1 >> np.uint64(32)).astype(np.uint32) ^ c1 ^ k0, p1.astype(np.uint32),
                              (p0 >> np.uint64(32)).astype(np.uint32) ^ c3 ^ k1, p0.astype(np.uint32))
            k0, k1 = k0 + np.uint32(0x9E3779B9), k1 + np.uint32(0xBB67AE85)
    return np.stack([c0, c1, c2, c3], axis=1)


def uniform(word):
    return (np.float32(np.uint32(word) >> np.uint32(8)) + np.float32(0.5)) * np.float32(2.0 ** -24)


def normals(seed, identity, step, purpose, count, first=0):
    """Normals first .. first + count - 1 of a stream, float32."""
    skipped = first % 4
    v = blocks(seed, identity, step, purpose, first // 4, (skipped + count + 3) // 4)
    scale = np.float32(2.0 ** -24)
    radius = np.sqrt(np.float32(-2) * np.log(((v[:, 0::2] >> 8).astype(np.float32) + np.float32(1)) * scale))
    angle = (v[:, 1::2] >> 8).astype(np.float32) * np.float32(2 * np.pi * 2.0 ** -24)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2).reshape(-1)[skipped:skipped + count]


def shifted(u, shift, sigma_min, sigma_max):
    """The noise level of u in (0, 1), float32."""
    u = max(u, 1e-5)
    return np.float32(min(max(shift * u / (1 + (shift - 1) * u), sigma_min), sigma_max))


def training_draw(seed, sample, visit, sampling="logit_normal", mean=0.0, std=1.5, shift=2.5, mix=0.2,
                  sigma_min=0.0, sigma_max=1.0, dropout=0.1):
    """(sigma, timestep, text is dropped) of one sample at one visit."""
    v = blocks(seed, sample, visit, "sigma", 0, 1)[0]
    u = float(uniform(v[1]))
    if sampling != "uniform" and float(uniform(v[0])) >= mix:
        if sampling == "logit_normal":
            u = 1 / (1 + np.exp(-(mean + std * float(normals(seed, sample, visit, "sigma", 3)[2]))))
        else:
            u = min(max(1 - u - 1.29 * (np.cos(np.pi * u / 2) ** 2 - 1 + u), 0.0), 1.0)
    sigma = shifted(u, shift, sigma_min, sigma_max)
    dropped = float(uniform(blocks(seed, sample, visit, "text_dropout", 0, 1)[0, 0])) < dropout
    return sigma, np.float32(1000) * sigma, dropped


def validation_sigma(seed, sample, shift=2.5, sigma_min=0.0, sigma_max=1.0):
    """The noise level at which a sample is always validated; the seed is the run's validation.seed."""
    u = float(uniform(blocks(seed, sample, 0, "validation_sigma", 0, 1)[0, 0]))
    return shifted(u, shift, sigma_min, sigma_max)


def epoch_order(seed, ids, epoch):
    """Indices into `ids` in the order in which an epoch visits them."""
    keys = [blocks(seed, int(i), epoch, "order", 0, 1)[0] for i in ids]
    return sorted(range(len(ids)), key=lambda n: (int(keys[n][0]) + (int(keys[n][1]) << 32), int(ids[n])))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("seed", "id", "step"):
        parser.add_argument(name, type=int)
    parser.add_argument("purpose", choices=PURPOSE)
    parser.add_argument("count", type=int)
    parser.add_argument("--out", help="also write normals.npy into this folder")
    args = parser.parse_args()
    values = normals(args.seed, args.id, args.step, args.purpose, args.count)
    if args.out:
        folder = pathlib.Path(args.out)
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "normals.npy", values)
    print("\n".join(f"{value:.9g}" for value in values))


if __name__ == "__main__":
    main()

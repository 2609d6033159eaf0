#!/usr/bin/env python3
"""The latents of a data set: mean and spread of every channel against the 0 and 1 that normalisation aims at, and the
sizes of its clips: latent_stats.png, latent_stats.csv."""
import collections

import h5py
import numpy as np

from runs import ACCENT, FAINT, SECOND, arguments, plt, read, save, write_csv


def finished(file):
    """Where a shard's finished rows lie: {dataset: [place along its first axis]}. Rejected rows hold zeros."""
    slabs = file["slabs"]
    names, ends = bytes(slabs["datasets"][:]).decode(), slabs["datasets_offset"][:]
    names = [names[a:b] for a, b in zip(ends, ends[1:])]
    places = collections.defaultdict(list)
    for row in np.flatnonzero(file["state"][:] == 1):
        places[names[slabs["latent_dataset"][row]]].append(slabs["latent_offset"][row])
    return places


def main():
    folder, out = arguments(__doc__, what="DATASET")
    count, total, squares = 0, 0.0, 0.0
    shapes = collections.Counter()
    for path in sorted((folder / "shards").glob("latents-*.h5")):
        with h5py.File(path, "r") as file:
            for name, slots in finished(file).items():
                values = read(file[name])[slots].astype(np.float64)
                shapes["x".join(map(str, values.shape[1:]))] += values.shape[0]
                values = np.moveaxis(values, 1, 0).reshape(values.shape[1], -1)
                count += values.shape[1]
                total = total + values.sum(1)
                squares = squares + (values ** 2).sum(1)
    if count == 0:
        raise SystemExit(f"{folder}: holds no latents")
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean ** 2, 0))
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
    place = np.arange(len(mean))
    left.errorbar(place, mean, yerr=std, fmt="o", color=ACCENT, capsize=3)
    left.axhline(0, color=SECOND, lw=1)
    left.axhspan(-1, 1, color=FAINT, alpha=0.2, lw=0, label="aim: mean 0, deviation 1")
    left.set(title="mean ± standard deviation", xlabel="latent channel", ylabel="normalised latent", xticks=place[::2])
    left.legend(loc="lower right", fontsize=9)
    common = shapes.most_common(12)[::-1]
    bars = right.barh([size for size, _ in common], [clips for _, clips in common], color=ACCENT, height=0.6)
    right.bar_label(bars, padding=4)
    right.set(title="clips of each latent size", xlabel="clips", ylim=(-1, max(2, len(common))))
    right.grid(axis="y", visible=False)
    right.margins(x=0.15)
    save(figure, out / "latent_stats.png")
    write_csv(out / "latent_stats.csv", ["channel", "mean", "std"],
              [(c, float(m), float(s)) for c, (m, s) in enumerate(zip(mean, std))])
    print(f"{sum(shapes.values())} clips, {len(shapes)} sizes, channel means {mean.min():.3f}..{mean.max():.3f}, "
          f"standard deviations {std.min():.3f}..{std.max():.3f}")


if __name__ == "__main__":
    main()

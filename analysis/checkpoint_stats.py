#!/usr/bin/env python3
"""The newest checkpoint of a run: size, norm and range of every tensor: checkpoint_stats.csv, checkpoint_stats.png."""
import re

import numpy as np
from matplotlib import colors, ticker

from runs import ACCENT, SECOND, arguments, checkpoints, plt, read, save, tensors, write_csv

SMALLEST = 1e-12  # a tensor of zeros on a logarithmic scale


def draw(rms, broken, step):
    """The weights of the blocks as a map, kind by block, and the others as bars; what is not finite is named in red."""
    blocks = {}
    for name, value in rms.items():
        if match := re.fullmatch(r"blocks\.(\d+)\.(.+)", name):
            blocks.setdefault(match[2], {})[int(match[1])] = value
    others = {name: value for name, value in rms.items() if not name.startswith("blocks.")}
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, max(4.0, 1.5 + 0.22 * max(len(blocks), len(others)))))
    values = np.full((len(blocks), 1 + max((n for row in blocks.values() for n in row), default=0)), np.nan)
    for place, row in enumerate(blocks.values()):
        for block, value in row.items():
            values[place, block] = max(value, SMALLEST)
    finite = values[np.isfinite(values)]
    if finite.size:
        shown = left.imshow(values, aspect="auto", cmap="viridis", norm=colors.LogNorm(finite.min(), max(finite.max(), 2 * SMALLEST)))
        figure.colorbar(shown, ax=left, label="root mean square")
    left.set(title=f"weights of the blocks, step {step}", xlabel="block")
    left.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    left.set_yticks(range(len(blocks)), list(blocks), fontsize=8)
    left.grid(visible=False)
    right.barh(list(others), [max(value, SMALLEST) for value in others.values()], color=ACCENT)
    right.invert_yaxis()
    right.tick_params(axis="y", labelsize=8)
    right.set(title="all other weights", xscale="log", xlabel="root mean square")
    for label in left.get_yticklabels() + right.get_yticklabels():
        if any(name.endswith(label.get_text()) for name in broken):
            label.set_color(SECOND)
    return figure


def main():
    run, out = arguments(__doc__)
    found = checkpoints(run)
    if not found:
        raise SystemExit(f"{run}: holds no finished checkpoint")
    step, folder = found[-1]
    rows = []
    for part in ("model.h5", "optim.h5"):
        if not (folder / part).exists():
            continue
        for name, dataset in tensors(folder / part):
            values = read(dataset)
            if values.size == 0:
                continue
            rms = float(np.sqrt(np.mean(values.astype(np.float64) ** 2)))
            rows.append((part, name, "x".join(map(str, values.shape)), values.size, rms, float(values.min()),
                         float(values.max()), float(values.mean()), int(np.count_nonzero(~np.isfinite(values)))))
    write_csv(out / "checkpoint_stats.csv",
              ["file", "tensor", "shape", "elements", "rms", "min", "max", "mean", "not_finite"], rows)
    weights = {row[1][len("transformer/"):]: row for row in rows
               if row[0] == "model.h5" and row[1].startswith("transformer/")}
    save(draw({name: row[4] for name, row in weights.items()}, {name for name, row in weights.items() if row[8]}, step),
         out / "checkpoint_stats.png")
    bad = sum(row[8] for row in rows)
    print(f"step {step}: {len(rows)} tensors, {sum(row[3] for row in rows):,} elements, {bad} not finite")


if __name__ == "__main__":
    main()

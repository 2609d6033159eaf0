#!/usr/bin/env python3
"""Two or more runs side by side: losses, and how far the weights of their last common checkpoint are apart."""
import h5py
import numpy as np

from runs import ACCENT, INK, SECOND, arguments, checkpoints, metrics, plain_ticks, plt, read, save, smooth, tensors, write_csv

COLOURS = [ACCENT, SECOND, INK, "#5f3dc4", "#2b8a3e", "#a61e4d"]
FLOOR = 1e-9  # what equal losses are drawn at on a logarithmic axis


def weight_distance(a, b):
    """Relative L2 distance of all weights of two checkpoint folders."""
    difference = total = 0.0
    with h5py.File(b / "model.h5", "r") as other:
        for name, dataset in tensors(a / "model.h5"):
            x, y = read(dataset).astype(np.float64), read(other[name]).astype(np.float64)
            difference += float(((x - y) ** 2).sum())
            total += float((x ** 2).sum())
    return float(np.sqrt(difference / total)) if total else 0.0


def main():
    runs, out = arguments(__doc__, several=True)
    if len(runs) < 2:
        raise SystemExit("compare_runs.py needs at least two run folders")
    data = [metrics(run, "train") for run in runs]
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 7), sharex=True)
    rows = []
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        names = [str(run) for run in runs]
    # Runs that agree lie on each other: the later ones are dashed.
    for number, (name, series) in enumerate(zip(names, data)):
        top.plot(series["step"], smooth(series["loss"], max(1, len(series["loss"]) // 30)), color=COLOURS[number % len(COLOURS)],
                 ls="-" if number == 0 else (2 * number, (4, 4)), lw=2, label=name)
    base = dict(zip(data[0]["step"], data[0]["loss"]))
    for number, (run, name, series) in enumerate(zip(runs[1:], names[1:], data[1:]), 1):
        common = [(s, loss) for s, loss in zip(series["step"], series["loss"]) if s in base]
        if not common:
            print(f"{run}: has no step in common with {runs[0]}")
            continue
        steps = np.array([s for s, _ in common])
        relative = np.array([abs(loss - base[s]) / abs(base[s]) for s, loss in common])
        bottom.plot(steps, np.maximum(relative, FLOOR), color=COLOURS[number % len(COLOURS)], lw=1, label=name)
        shared = sorted(set(dict(checkpoints(runs[0]))) & set(dict(checkpoints(run))))
        distance = float("nan")
        if shared:
            distance = weight_distance(*(dict(checkpoints(folder))[shared[-1]] for folder in (runs[0], run)))
        rows.append((name, len(common), float(relative.max()), float(np.median(relative)), shared[-1] if shared else -1, distance))
        print(f"{name} against {names[0]}: {len(common)} common steps, loss differs by at most {relative.max():.3g} "
              f"(relative), weights at step {rows[-1][4]} by {distance:.3g}")
    top.set(title="weighted loss, smoothed", yscale="log", ylabel="mean over tokens")
    plain_ticks(top.yaxis)
    top.legend()
    bottom.set(title=f"relative difference of each step's loss from {names[0]}", yscale="log", xlabel="step",
               ylabel=f"{FLOOR:.0e} stands for equal")
    bottom.set_ylim(FLOOR / 2, max(1e-2, bottom.get_ylim()[1]))
    bottom.legend()
    save(figure, out / "compare_runs.png")
    write_csv(out / "compare_runs.csv",
              ["run", "common_steps", "loss_max_relative", "loss_median_relative", "checkpoint", "weights_relative_l2"], rows)


if __name__ == "__main__":
    main()

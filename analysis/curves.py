#!/usr/bin/env python3
"""Loss, validation loss, gradient norm and learning rate of a run: curves.png, curves.csv."""
import numpy as np

from runs import (ACCENT, FAINT, SECOND, arguments, metrics, noise_levels, plain_ticks, plt, save, smooth,
                  write_csv)


def main():
    run, out = arguments(__doc__)
    train, validation = metrics(run, "train"), metrics(run, "validation")
    if "step" not in train:
        raise SystemExit(f"{run}/metrics.jsonl: holds no training step yet")
    step, loss = train["step"], train["loss"]
    figure, axes = plt.subplots(2, 2, figsize=(11, 7))
    axes[0, 0].plot(step, loss, color=FAINT, lw=0.8, label="each step")
    axes[0, 0].plot(step, smooth(loss, max(1, len(loss) // 30)), color=ACCENT, lw=2, label="smoothed")
    if "step" in validation:
        axes[0, 0].plot(validation["step"], validation["loss"], "o-", color=SECOND, ms=4, label="validation")
    axes[0, 0].set(title="weighted loss", yscale="log", xlabel="step", ylabel="mean over tokens")
    axes[0, 0].legend()
    axes[0, 1].plot(step, train["grad_norm"], color=FAINT, lw=0.8, label="each step")
    axes[0, 1].plot(step, smooth(train["grad_norm"], max(1, len(step) // 30)), color=ACCENT, lw=2, label="smoothed")
    axes[0, 1].set(title="gradient norm before clipping", yscale="log", xlabel="step", ylabel="L2 norm")
    axes[0, 1].legend()
    axes[1, 0].plot(step, train["lr"], color=ACCENT, lw=2)
    axes[1, 0].set(title="learning rate", xlabel="step", ylim=(0, None))
    axes[1, 0].ticklabel_format(axis="y", style="sci", scilimits=(0, 0), useMathText=True)
    levels = noise_levels(validation)
    for number, (key, name) in enumerate(levels):
        shade = plt.get_cmap("viridis")(0.85 * number / max(1, len(levels) - 1))
        axes[1, 1].plot(validation["step"], validation[key], "o-", ms=4, color=shade, label=name)
    axes[1, 1].set(title="validation loss by noise level", xlabel="step", ylabel="unweighted", ylim=(0, None))
    if levels:
        axes[1, 1].legend(title="σ", ncols=2, fontsize=9)
    else:
        axes[1, 1].text(0.5, 0.5, "no validation in this run", ha="center", transform=axes[1, 1].transAxes)
    plain_ticks(axes[0, 0].yaxis)
    plain_ticks(axes[0, 1].yaxis)
    save(figure, out / "curves.png")
    keys = list(train)
    write_csv(out / "curves.csv", keys, zip(*(train[key] for key in keys)))
    last = loss[-max(1, len(loss) // 20):]
    print(f"steps {int(step[0])}..{int(step[-1])}, loss {loss[0]:.4g} -> {np.mean(last):.4g} (mean of the last {len(last)})")


if __name__ == "__main__":
    main()

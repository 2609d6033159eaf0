#!/usr/bin/env python3
"""Speed of a run: step time, tokens and model FLOPs per second, and where the slow steps are: throughput.png, .csv."""
import numpy as np

from runs import ACCENT, FAINT, SECOND, arguments, metrics, plain_ticks, plt, save, smooth, write_csv


def main():
    run, out = arguments(__doc__)
    train = metrics(run, "train")
    if "step_ms" not in train:
        raise SystemExit(f"{run}/metrics.jsonl: holds no training step yet")
    step, ms = train["step"], train["step_ms"]
    settled = ms[min(len(ms) - 1, max(1, len(ms) // 20)):]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
    left.plot(step, ms, ".", color=ACCENT, ms=3)
    left.axhline(np.median(settled), color=SECOND, label=f"median {np.median(settled):.1f} ms")
    left.set(title="time of a step", xlabel="step", ylabel="ms", yscale="log")
    plain_ticks(left.yaxis)
    left.legend()
    right.plot(step, train["tokens_per_s"] / 1e3, color=FAINT, lw=0.8, label="each step")
    right.plot(step, smooth(train["tokens_per_s"] / 1e3, max(1, len(step) // 60)), color=ACCENT, lw=2, label="smoothed")
    right.set(title="throughput, all ranks", xlabel="step", ylabel="thousand tokens per second", ylim=(0, None))
    right.legend(loc="lower right")
    save(figure, out / "throughput.png")
    rows = [(f"p{p}", float(np.percentile(settled, p))) for p in (1, 10, 50, 90, 99)]
    rows.append(("tokens_per_s_median", float(np.nanmedian(train["tokens_per_s"]))))
    rows.append(("model_tflops_per_rank_median", float(np.nanmedian(train["tflops_per_rank"]))))
    if "mfu" in train:
        rows.append(("mfu_median", float(np.nanmedian(train["mfu"]))))
    write_csv(out / "throughput.csv", ["quantity", "value"], rows)
    slow = step[ms > 3 * np.median(settled)]
    print(f"median step {np.median(settled):.1f} ms, {len(slow)} steps took over three times that"
          + (f" (first: {int(slow[0])})" if len(slow) else ""))


if __name__ == "__main__":
    main()

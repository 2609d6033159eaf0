#!/usr/bin/env python3
"""How far apart the smoothed loss curves of two runs lie: loss_gap.py RUN RUN [--window 20] [--limit 0.01] [--last]

Means over each --window steps in a row are compared. Prints the largest relative gap and that of the last window; with --limit the exit
code is 1 where the largest (with --last: the last) exceeds it. Needs nothing beside Python.
"""
import argparse
import json
import pathlib
import sys


def losses(run):
    """{step: loss}; a step that was done again after a restart counts as it was done last."""
    lines = map(json.loads, (pathlib.Path(run) / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
    return {line["step"]: line["loss"] for line in lines if line["kind"] == "train"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", metavar="RUN", nargs=2)
    parser.add_argument("--window", type=int, default=20)
    parser.add_argument("--limit", type=float)
    parser.add_argument("--last", action="store_true", help="hold only the last window against the limit")
    args = parser.parse_args()
    a, b = map(losses, args.runs)
    if set(a) != set(b) or len(a) < args.window:
        sys.exit(f"found {len(a)} and {len(b)} steps, allowed: the same steps in both, at least {args.window}")
    steps = sorted(a)
    single = max(abs(b[s] - a[s]) / abs(a[s]) for s in steps)
    gaps = []
    for first in range(len(steps) - args.window + 1):
        part = steps[first:first + args.window]
        mean = sum(a[s] for s in part)
        gaps.append((abs(sum(b[s] for s in part) - mean) / abs(mean), part[-1]))
    largest, where = max(gaps)
    last = gaps[-1][0]
    print(f"{len(steps)} steps; means over {args.window}: largest gap {largest:.3g} (to step {where}), last {last:.3g}; "
          f"single steps {single:.3g}")
    held = last if args.last else largest
    # A loss that is not a number fails too.
    if args.limit is not None and not held <= args.limit:
        sys.exit(f"the gap {held:.3g} is above {args.limit:g}")


if __name__ == "__main__":
    main()

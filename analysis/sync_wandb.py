#!/usr/bin/env python3
"""Sends a run's metrics to Weights & Biases, live or after: python3 sync_wandb.py RUN --project P [--name N] [--follow].

Compute nodes often reach no network; this runs where the run folder can be read and the network be reached. It reads
metrics.jsonl only and needs the PyPI package wandb.
"""
import argparse
import json
import pathlib
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--project", required=True)
    parser.add_argument("--name", help="default: the folder's name")
    parser.add_argument("--follow", action="store_true", help="keep waiting for new lines")
    args = parser.parse_args()
    run = pathlib.Path(args.run)
    import wandb  # only here: every other script works without it
    remote = wandb.init(project=args.project, name=args.name or run.name, id=run.resolve().name, resume="allow")
    with open(run / "metrics.jsonl", encoding="utf-8") as file:
        while True:
            line = file.readline()
            if line.endswith("\n"):
                row = json.loads(line)
                kind, step = row.pop("kind"), row.pop("step")
                remote.log({f"{kind}/{key}": value for key, value in row.items()}, step=step)
            elif args.follow:
                time.sleep(5)
            else:
                break
    remote.finish()


if __name__ == "__main__":
    main()

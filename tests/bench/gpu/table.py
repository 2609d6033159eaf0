#!/usr/bin/env python3
"""Ours against PyTorch + diffusers on one GPU, in turn: table.py --bin FOLDER --result FILE.jsonl [flags] [ROW ...]

Appends a JSON line per row to FILE as soon as it is measured and prints the rows as a Markdown table. Every figure is the median of all
measurements of all rounds, of which n is how many the side with fewer has: the table says where they are fewer than five. `bound` is what
the library kernels of the same step (products, attention, convolutions) take alone, each waited for: no fusion around them can be faster.
Without --peer, or where that Python has no torch, diffusers and transformers, ours runs alone. GiB: ours is all that the GPU holds for
the process, context included; the peer's what PyTorch allocated.
"""
import argparse
import json
import signal
import sys
import tempfile
import time
import traceback

import kernel_rows as kernel
import program_rows as program
from bench import Bench
from processes import Failed

# name: (measures it, all that must hold, about how many seconds on an H200: to set up, for each round)
ROWS = {
    "1.3B-forward": (kernel.denoiser("1.3B", "forward", peer="forward", share_training=True), [("ratio", "<=", 0.92)], 70, 7),
    "1.3B-train": (kernel.denoiser("1.3B", "train", "norms", peer="train"), [("ratio", "<=", 0.93), ("ours_gib", "<=", 76)], 60, 18),
    "1.3B-train-34GiB": (kernel.denoiser("1.3B", "train", "keep_attention", peer="train_checkpointed"),
                         [("ratio", "<=", 0.85), ("ours_gib", "<=", 34)], 60, 21),
    "1.3B-train-60-rows": (kernel.denoiser("1.3B", "train", "norms", text=60), [], 25, 9),
    "pack-mixed": (kernel.pack(kernel.MIXED, singles=True), [("ratio", ">=", 0.95)], 60, 10),
    "pack-images": (kernel.pack(kernel.IMAGES, singles=False), [("ours", ">=", 450)], 30, 12),
    "14B-8-train": (kernel.denoiser("14B", "train", "none", peer="train", grids=kernel.LONG, layers=8),
                    [("ratio", "<=", 1 / 1.07)], 90, 40),
    "14B-forward": (kernel.denoiser("14B", "forward", peer="forward"), [("ratio", "<=", 0.95)], 120, 40),
    "vae-encode": (kernel.encoder("encode", (), "vae"), [("ratio", "<=", 0.40)], 40, 10),
    "vae-decode": (kernel.encoder("decode", (), "vae"), [("ratio", "<=", 0.40)], 15, 15),
    "umt5-1": (kernel.encoder("umt5-1", (), "umt5"), [("ratio", "<=", 0.5)], 60, 2),
    "umt5-8": (kernel.encoder("umt5-8", (), "umt5"), [("ratio", "<=", 0.6)], 5, 3),
    "sampling": (program.sampling, [("ratio", "<=", 0.92)], 430, 0),
    "memory-14B-720p": (program.memory_14b_720p, [("ours", "<=", 48)], 150, 0),
    "prep": (program.prep, [("ours", "<=", 0.55)], 90, 0),
    "checkpoint": (program.checkpoint, [("stall_s", "<=", 1), ("write_ratio", ">=", 0.70)], 210, 0),
    "deterministic": (program.deterministic, [("bits_agree", "==", True), ("resume_agrees", "==", True)], 110, 18),
    "2-gpu": (program.two_gpus, [("own_ratio", ">=", 0.97)], 5, 135),
}
# At least and at most how many rounds, whatever is asked for: rounds of three steps until there are five.
ROUNDS = {"2-gpu": (1, 2), **dict.fromkeys(("1.3B-train", "1.3B-train-34GiB", "1.3B-train-60-rows", "pack-mixed", "pack-images",
                                            "14B-8-train", "deterministic"), (2, 1000))}
# Keys of what the figures depend on, and how each is called.
VERSIONS = {"gpu": "", "driver": "driver ", "cublaslt": "cuBLASLt ", "cudnn": "cuDNN ", "nccl": "NCCL ", "torch": "torch ",
            "diffusers": "diffusers ", "transformers": "transformers "}
HEAD = "| row | unit | against | other | ours | ratio | must | kernels alone | TF/s | other GiB | ours GiB | n |\n|" + "---|" * 12


def estimate_s(name, rounds):
    _, _, set_up, a_round = ROWS[name]
    least, most = ROUNDS.get(name, (1, rounds))
    return set_up + max(least, min(rounds, most)) * a_round


def judged(row, conditions):
    """The row with what had to hold of those of its figures that were measured, and whether all of it does."""
    known = [(key, relation, bound) for key, relation, bound in conditions if row.get(key) is not None]
    if not known:
        return row
    holds = {"<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b, "==": lambda a, b: a == b}
    text = ", ".join(f"{key} {relation} {bound if isinstance(bound, bool) else round(bound, 3)}" for key, relation, bound in known)
    return {**row, "must": text, "good": all(holds[relation](row[key], bound) for key, relation, bound in known)}


def table_line(row):
    def cell(key):
        value = row.get(key)
        if value is None:
            return "–"
        return value if isinstance(value, str) else f"{value:.0f}" if abs(value) >= 1000 else f"{value:#.4g}".rstrip(".")
    if "error" in row:
        error = row["error"].splitlines()[0][:200].replace("|", "\\|")
        return f"| {row['row']} | | {error} **failed** | | | | | | | | | |"
    ratio = f"{row['ratio']:.3f}" if "ratio" in row else "–"
    must = cell("must") + ("" if row.get("good", True) else " **not met**")
    fewest = min(row[key] for key in ("ours_n", "other_n") if key in row)
    few = "" if fewest >= 5 else " **fewer than 5**"
    return (f"| {row['row']} | {cell('unit')} | {cell('against')} | {cell('other')} | {cell('ours')} | {ratio} | {must} "
            f"| {cell('bound')} | {cell('tflops_per_s')} | {cell('other_gib')} | {cell('ours_gib')} | {fewest}{few} |")


def _version_text(key, value):
    # The libraries count 9.19.0 as 91900.
    return VERSIONS[key] + (f"{value // 10000}.{value // 100 % 100}.{value % 100}" if isinstance(value, int) else value)


def versions_line(rows):
    """What the rows were measured with: of what differs, what most have, then the rows that have another."""
    shared, others = [], []
    for key in VERSIONS:
        known = [row[key] for row in rows if key in row]
        if not known:
            continue
        most = max(known, key=known.count)
        shared.append(_version_text(key, most))
        others += [f"{row['row']}: {_version_text(key, row[key])}" for row in rows if row.get(key, most) != most]
    return ", ".join(shared) + (f"; but {'; '.join(others)}" if others else "")


def measure(bench, name):
    """The rows of `name`, or one that says why there are none."""
    function, conditions, _, _ = ROWS[name]
    try:
        rows = function(bench)
    except Exception as error:  # pylint: disable=broad-except
        if not isinstance(error, Failed):
            traceback.print_exc()
        bench.close()
        return [{"row": name, "error": str(error) or type(error).__name__, "good": False}]
    out = []
    for row in rows:
        row = {"row": name, **row}
        # What must hold of the real sizes says nothing about small ones.
        out.append(judged(row, [] if bench.tiny and name != "deterministic" else conditions))
    return out


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="rows:\n" + "\n".join(f"  {name:20} about {estimate_s(name, 3)} s with 3 rounds" for name in ROWS))
    parser.add_argument("rows", nargs="*", metavar="ROW", help="all of them if none is named")
    parser.add_argument("--bin", required=True, metavar="FOLDER", help="of the programs")
    parser.add_argument("--result", required=True, metavar="FILE", help="rows are added to it")
    parser.add_argument("--rounds", type=int, default=3, help="how often ours and the peer take turns (3); each turn measures 3 to 5 steps")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="leave out rows, and rounds, that do not fit any more")
    parser.add_argument("--peer", metavar="PYTHON", help="a Python with torch, diffusers and transformers")
    parser.add_argument("--scratch", metavar="FOLDER", help="for clips, data sets, checkpoints (a temporary folder)")
    parser.add_argument("--tiny", action="store_true", help="small sizes on the host build: tries the script, measures nothing of use")
    parser.add_argument("--table", action="store_true", help="print versions and the table of the newest line of each row in FILE, and leave")
    arguments = parser.parse_args()
    unknown = [row for row in arguments.rows if row not in ROWS]
    if unknown:
        parser.error(f"found the row {unknown[0]}, allowed: {', '.join(ROWS)}")
    return arguments


def print_table(path):
    def maker(row):
        # Some measure more than one row, all of whose names begin as theirs.
        return max((name for name in ROWS if row["row"].startswith(name)), key=len)

    newest = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if "error" in newest.get(maker(row), {}):
                del newest[maker(row)]
            newest[row["row"]] = row
    rows = sorted(newest.values(), key=lambda row: list(ROWS).index(maker(row)))
    print("\n".join([versions_line(rows), "", HEAD, *map(table_line, rows)]))


def main():
    arguments = parsed()
    if arguments.table:
        print_table(arguments.result)
        return
    # Whoever ends this script must not leave programs on the GPU: their owners end them on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    names = [name for name in ROWS if not arguments.rows or name in arguments.rows]
    about = sum(estimate_s(name, arguments.rounds) for name in names)
    print(f"{len(names)} rows, about {about} s on an H200 with the peer", file=sys.stderr)
    bad = False
    with tempfile.TemporaryDirectory(dir=arguments.scratch, prefix="bench_gpu_") as scratch:
        bench = Bench(arguments, scratch)
        print(HEAD, flush=True)
        for name in names:
            expected, begin = estimate_s(name, 1), time.monotonic()
            if bench.left_s() < expected and not arguments.tiny:
                print(f"{name}: left out, it needs about {expected} s and {bench.left_s():.0f} s are left", file=sys.stderr)
                continue
            print(f"{name}: about {estimate_s(name, arguments.rounds)} s", file=sys.stderr)
            for row in measure(bench, name):
                row.update(bench.describe(), seconds=round(time.monotonic() - begin, 1), tiny=arguments.tiny)
                with open(arguments.result, "a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                print(table_line(row), flush=True)
                bad |= not row.get("good", True)
        bench.close()
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

"""What the analysis scripts share: reading a run folder, reading bf16, the look of a figure."""
import argparse
import json
import pathlib
import re

import h5py
import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib import ticker  # noqa: E402

INK, ACCENT, SECOND, FAINT = "#1f2933", "#0b7285", "#d9480f", "#adb5bd"
plt.rcParams.update({
    "figure.dpi": 150, "font.size": 11, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK,
    "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK, "axes.grid": True,
    "axes.axisbelow": True, "grid.color": "#e9ecef", "legend.frameon": False, "axes.titleweight": "bold", "axes.titlelocation": "left",
})


def arguments(description, what="RUN", several=False):
    """The arguments that every script takes; returns (paths or path, output folder)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("path", metavar=what, nargs="+" if several else None)
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for what is made here")
    args = parser.parse_args()
    paths = [pathlib.Path(p) for p in (args.path if several else [args.path])]
    for path in paths:
        if not path.is_dir():
            parser.exit(66, f"{path}: is no folder\n")
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    return (paths if several else paths[0]), out


def metrics(run, kind):
    """{key: array} over the lines of one kind in metrics.jsonl; a number that a line lacks is NaN."""
    path = pathlib.Path(run) / "metrics.jsonl"
    if not path.exists():
        raise SystemExit(f"{path}: is missing; was this folder written by wan-train?")
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    rows = [row for row in rows if row.get("kind") == kind]
    keys = dict.fromkeys(key for row in rows for key, value in row.items() if isinstance(value, (int, float)))
    return {key: np.array([row.get(key, np.nan) for row in rows], float) for key in keys}


def smooth(values, window):
    """Centred running mean, shortened at the ends."""
    window = max(1, min(window, len(values)))
    weight = np.convolve(np.ones(len(values)), np.ones(window), "same")
    return np.convolve(values, np.ones(window), "same") / weight


def plain_ticks(axis):
    """A logarithmic axis labelled 0.5, 1, 2, 5 … and not by powers."""
    axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def noise_levels(series):
    """[(key, "0.25 to 0.5")] of the losses by noise level, lowest level first."""
    bounds = {key: tuple(map(float, key.split("_")[2:])) for key in series if key.startswith("loss_sigma_")}
    return [(key, f"{low:g} to {high:g}") for key, (low, high) in sorted(bounds.items(), key=lambda item: item[1])]


def is_bf16(dataset):
    kind = dataset.id.get_type()
    return dataset.dtype.kind == "f" and kind.get_size() == 2 and kind.get_ebias() == 127


def read(dataset):
    """The whole data set as float32. bf16 is read as its raw 16 bits and widened: HDF5's own conversion is slow."""
    if not is_bf16(dataset):
        return np.asarray(dataset[...], np.float32)
    bits = np.empty(dataset.shape, np.uint16)
    if bits.size:
        dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, bits, mtype=dataset.id.get_type())
    return (bits.astype(np.uint32) << 16).view(np.float32)


def checkpoints(run):
    """[(step, folder)] of the finished checkpoints, oldest first."""
    found = []
    for folder in pathlib.Path(run).iterdir():
        match = re.fullmatch(r"iter_(\d+)", folder.name)
        if match and (folder / "manifest.json").exists():
            found.append((int(match[1]), folder))
    return sorted(found)


def tensors(path, group="/"):
    """Yields (name, data set) of everything below a group of an HDF5 file."""
    with h5py.File(path, "r") as file:
        names = []
        file[group].visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        for name in names:
            yield name, file[group][name]


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
    print(path)


def write_csv(path, header, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(header) + "\n")
        for row in rows:
            file.write(",".join(f"{x:.9g}" if isinstance(x, float) else str(x) for x in row) + "\n")
    print(path)

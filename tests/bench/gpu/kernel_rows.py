"""Rows of one model's step: the denoiser by dit_step, VAE and text encoder by encoders, each against peer.py."""
from bench import median

CLIP = [(21, 30, 52)]  # 81 x 480 x 832: 32,760 tokens
LONG = [(24, 30, 52)]  # 37,440 tokens
# 39,164 tokens: clips and images from 144 x 256 to 720 x 1280.
MIXED = [(21, 15, 26), (5, 30, 52), (9, 22, 40), (13, 15, 26), (1, 30, 52), (1, 45, 80), (5, 20, 20), (21, 9, 16)]
IMAGES = [(1, 30, 52)] * 32
WARM_UP = 2


def _text_of(grids):
    return ";".join(",".join(map(str, grid)) for grid in grids)


class _Ours:
    """dit_step or encoders: what is asked with which flags, under which key it answers."""

    def __init__(self, bench, side, flags, key, runs):
        self.bench, self.side, self.flags, self.key, self.runs = bench, side, flags, key, runs
        self.device = None

    def __call__(self):
        others = self.bench.others_gib(self.side)
        answer = self.side.ask(f"{self.flags} --runs {self.runs} --warm-up {WARM_UP}")
        self.device = answer["device"]
        return answer[self.key], answer["device_gib"] - others if answer["device_gib"] else 0

    def library_ms(self):
        return self.side.ask(f"{self.flags} --ops --runs 2 --warm-up 1")["library_ms"]


class _Peer:
    def __init__(self, side, name, runs):
        self.side, self.name, self.runs, self.most_gib = side, name, runs, 0

    def __call__(self):
        answer = self.side.ask(f"{self.name} {WARM_UP} {self.runs}")
        self.most_gib = max(self.most_gib, answer.get("peak_gib", 0))
        return answer["times_ms"]


def _compare(bench, ours, peer, **more):
    mine, theirs, seen = bench.alternate(ours, peer)
    row = {"unit": "ms", "ours": median(mine), "ours_n": len(mine), "device": ours.device, **seen, "bound": ours.library_ms(), **more}
    if peer is not None:
        row.update(against="peer", other=median(theirs), other_n=len(theirs), other_gib=peer.most_gib or None)
        row.update({key: peer.side.hello[key] for key in ("torch", "diffusers", "transformers", "torch_cudnn") if key in peer.side.hello})
        row["ratio"] = row["ours"] / row["other"]
    return row


def _dit(bench, model, train, layers=0, deterministic=False):
    """The command of a resident dit_step; rows that name the same one share it."""
    steps = ["--steps", "train" if train else "forward"]
    size = ["--bf16"] if not bench.tiny else []
    more = (["--layers", layers] if layers else []) + (["--deterministic"] if deterministic else [])
    return ("dit_step", bench.models.folder(model), 1, *size, *steps, *more)


def _peer_dit(bench, model, grids, text, layers=0):
    config = bench.models.folder(model) / "transformer" / "config.json"
    return ("peer", "dit", config, "--grid", _text_of(grids), "--text", text, "--layers", layers)


def _sizes(bench, grids, text):
    return ([(2, 4, 4)] * len(grids), 18) if bench.tiny else (grids, text)


def denoiser(model, step, recompute=None, peer=None, grids=None, text=512, layers=0, share_training=False):
    """A row of one denoiser step. `share_training`: the resident program can train too, as the rows beside this one need."""
    def row(bench):
        shapes, rows = _sizes(bench, grids or CLIP, text)
        depth = min(layers, 2) if bench.tiny else layers
        pair = [_dit(bench, model, step == "train" or share_training, depth)]
        if peer:
            pair.append(_peer_dit(bench, model, shapes, rows, depth))
        ours_side, peer_side = (bench.use(*pair) + [None])[:2]
        flags = f"--steps {step} --grid {_text_of(shapes)} --text {rows}" + (f" --recompute {recompute}" if recompute else "")
        runs = 5 if step == "forward" else 3
        ours = _Ours(bench, ours_side, flags, f"{'train_step' if step == 'train' else step}_times_ms", runs)
        tflop = bench.models.forward_tflop(model, shapes, rows, depth) * (3 if step == "train" else 1)
        out = _compare(bench, ours, _Peer(peer_side, peer, runs) if peer_side else None, text_rows=rows, tflop=tflop)
        out["tflops_per_s"] = tflop / out["ours"] * 1e3
        return [out]
    return row


def encoder(step, bench_flags, peer_subject):
    """A row of the VAE or the text encoder."""
    def row(bench):
        steps = "encode,decode" if peer_subject == "vae" else "umt5-1,umt5-8"
        shape = ({"vae": ("--size", "64,64", "--frames", 17), "umt5": ("--text", 32)}[peer_subject] if bench.tiny else bench_flags)
        small = ("--small", "--fp32") if bench.tiny else ()
        ours_side, peer_side = bench.use(("encoders", "--steps", steps, *shape, *small), ("peer", peer_subject, *shape))
        ours = _Ours(bench, ours_side, f"--steps {step}", "times_ms", 5)
        return [_compare(bench, ours, _Peer(peer_side, step, 5) if peer_side else None)]
    return row


def pack(grids, singles):
    """Training speed of a pack; with `singles` held against the speeds of its samples alone, weighted by their FLOPs."""
    def row(bench):
        shapes, text = _sizes(bench, grids, 512)
        (side,) = bench.use(_dit(bench, "1.3B", True))

        def measured(some, runs):
            flags = f"--steps train --recompute norms --grid {_text_of(some)} --text {text}"
            return _Ours(bench, side, flags, "train_step_times_ms", runs)

        def tflop(some):
            return 3 * bench.models.forward_tflop("1.3B", some, text)

        ours = measured(shapes, 3)
        mine, _, seen = bench.alternate(ours, None)
        speed = tflop(shapes) / median(mine) * 1e3
        out = {"unit": "TF/s", "ours": speed, "ours_n": len(mine), "step_ms": median(mine), "device": ours.device, **seen,
               "samples": len(shapes), "tokens": sum(f * r * c for f, r, c in shapes), "text_rows": text,
               "bound": tflop(shapes) / ours.library_ms() * 1e3}
        if singles:
            alone = {}
            for grid in dict.fromkeys(shapes):
                times, _ = measured([grid], 5)()
                alone[_text_of([grid])] = tflop([grid]) / median(times) * 1e3
            weighted = sum(tflop([grid]) * alone[_text_of([grid])] for grid in shapes) / tflop(shapes)
            out.update(against="singles by FLOPs", other=weighted, other_n=5, ratio=speed / weighted, alone_tflops=alone)
        return [out]
    return row

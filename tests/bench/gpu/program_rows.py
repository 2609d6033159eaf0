"""Rows of whole programs: wan-sample, wan-prep and wan-train as a user starts them, with random weights or mock data."""
import json
import os
import re
import shutil
import subprocess
import sys

from bench import HERE, HOME, Watch, median
from kernel_rows import CLIP, _dit, _Ours, _peer_dit, _sizes
from processes import Failed, metrics, run, run_lines, train_lines

# More words than the 512 tokens that are kept, so that every row of text is a real one, as it is for the peer.
LONG_PROMPT = " ".join(f"a red circle moves to the right past {number} trees" for number in range(100))


def _sample_command(bench, model, size, frames, steps, videos):
    out = bench.fresh("samples")
    return [bench.program("wan-sample"), "--model", bench.models.folder(model), "--random-weights", 1, "--output_dir", out,
            "--timings", out / "timings.json",
            "--sizes", size, "--frame_nums", frames, "--sample_steps", steps, "--base_seed", 1, "--negative_prompt", LONG_PROMPT,
            "--sample_guide_scale", 5, "--prompts", *[LONG_PROMPT] * videos]


def _watched(bench, command):
    """What a program said and when, its peak GiB of the GPU beside what others hold, and the clock."""
    before = bench.nvml.used_gib() or 0
    with Watch(bench.nvml) as watch:
        said = run_lines(command, bench.environment)
    return said, {"ours_gib": watch.most_gib - before if watch.most_gib else None, "sm_mhz": watch.sm_mhz()}


def _made_s(said):
    """Seconds from the loaded models to the first finished video, then from video to video."""
    marks = [when for when, line in said if "models are loaded" in line or ": wrote " in line]
    return [later - earlier for earlier, later in zip(marks, marks[1:])]


def sampling(bench):
    """Videos against as many forwards of the peer, in a row as a sampler would call them, so that both are measured at the clock that a
    GPU keeps under load."""
    shapes, text = _sizes(bench, CLIP, 512)
    size, frames, steps = ("64*64", 17, 4) if bench.tiny else ("480*832", 81, 50)
    dit, vae = bench.use(_peer_dit(bench, "1.3B", shapes, text), ("peer", "vae"))
    videos = 5 if bench.left_s() > 330 else max(1, int((bench.left_s() - 90) // 50))
    forward, decode, clocks = [], [], []

    def measure_peer():
        if dit is not None:
            with Watch(bench.nvml) as watch:
                forward.append(dit.ask(f"forward 2 {steps}")["times_ms"])
            clocks.append(watch.sm_mhz())
            decode.extend(vae.ask("decode 1 3")["times_ms"])

    measure_peer()
    command = _sample_command(bench, "1.3B", size, frames, steps, videos)
    said, seen = _watched(bench, command)
    measure_peer()
    made = _made_s(said)
    with open(command[command.index("--timings") + 1], encoding="utf-8") as file:
        batches = json.load(file)["batches"]
    parts = {key: median([batch[key] for batch in batches]) for key in ("denoise_ms", "vae_ms", "write_ms")}
    row = {"unit": "s", "ours": median(made), "ours_n": len(made), "steps": steps, "branches": batches[-1]["branches"], **parts, **seen}
    if dit is not None:
        row.update(forward_ms_before_and_after=[median(times) for times in forward], other_sm_mhz=clocks)
        forward = sum(forward, [])
        row.update(against=f"{2 * steps} forwards + decode", other=(2 * steps * median(forward) + median(decode)) / 1e3,
                   other_n=min(len(forward), len(decode)))
        row["ratio"] = row["ours"] / row["other"]
    # Only now: the peer's memory is not in the way of a pair of clips.
    flags = f"--steps guided --grid {';'.join(','.join(map(str, grid)) for grid in shapes)} --text {text}"
    encoder = ("encoders", "--steps", "decode", *(("--size", "64,64", "--frames", 17, "--small", "--fp32") if bench.tiny else ()))
    guided_side, decoder_side = bench.use(_dit(bench, "1.3B", False), encoder)
    guided = _Ours(bench, guided_side, flags, "guided_step_times_ms", 2)
    guided()
    row.update(device=guided.device,
               bound=(steps * guided.library_ms() + _Ours(bench, decoder_side, "--steps decode", "times_ms", 2).library_ms()) / 1e3)
    return [row]


def memory_14b_720p(bench):
    bench.use()
    size, frames = ("64*64", 17) if bench.tiny else ("720*1280", 81)
    said, seen = _watched(bench, _sample_command(bench, "14B", size, frames, 2, 1))
    return [{"unit": "GiB", "ours": seen["ours_gib"], "ours_n": 1, "video_of_2_steps_s": _made_s(said)[0], **seen}]


def prep(bench):
    """Sustained: a run on one clip before it chooses the kernels, which a GPU does once."""
    bench.use()
    clips, size, frames = (4, "64,64", 17) if bench.tiny else (48, "480,832", 81)
    height, width = size.split(",")

    def prepare(count):
        folder, out = bench.fresh("clips"), bench.fresh("dataset")
        run([bench.program("bench_clips"), folder, count, "--size", size, "--frames", frames])
        return _watched(bench, [bench.program("wan-prep"), "--video_folder", folder, "--output_dir", out, "--model",
                                bench.models.folder("1.3B"), "--random-weights", 1, "--height", height, "--width", width,
                                "--center-crop", "--clip_frames", frames])

    prepare(1)
    said, seen = prepare(clips)
    last = [line for _, line in said if "prep clips=" in line][-1]
    done, total, rejects, rate = re.search(r"clips=(\d+)/(\d+) rejects=(\d+) clips_per_s=([\d.]+)", last).groups()
    if (int(done), int(rejects)) != (clips, 0):
        raise Failed(f"wan-prep prepared {done} of {total} clips, {rejects} rejected; all of {clips} were to be")
    parts = {key: float(value) for key, value in re.findall(r"(decode_ms|vae_ms|write_ms)=([\d.]+)", last)}
    return [{"unit": "s/clip", "ours": 1 / float(rate), "ours_n": clips, "clip": f"{frames}x{height}x{width}", **parts, **seen}]


def _train_command(bench, folder, steps, *overrides, ranks=1):
    """wan-train on mock clips of 81 x 480 x 832 with 512 rows of text, a clip a rank."""
    mpirun = os.environ.get("WAN_MPIRUN", "mpirun").split()
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    start = [*mpirun, "-n", ranks, "--oversubscribe", "--bind-to", "none", *root] if ranks > 1 else []
    if bench.tiny:
        run_file, sizes = "demo.yaml", {"F_latents": 2, "H_latents": 8, "W_latents": 8, "context_seq_len": 18}
    else:
        run_file, sizes = "wan_1_3B.yaml", {"F_latents": 21, "H_latents": 60, "W_latents": 104, "context_seq_len": 512}
    values = {**{f"dataset.{key}": value for key, value in sizes.items()}, "dataset.number_packed_samples": 1, "dataset.packing_buffer_size": "null", "dataset.mock_samples": 64,
              "train.train_iters": steps, "train.global_batch_size": ranks, "train.micro_batch_size": 1, "train.eval_iters": 0,
              "model.context_parallel_size": 1, "flow_matching.text_dropout": 0, "logger.log_interval": 1, "checkpoint.save": folder,
              "checkpoint.load": folder, "checkpoint.save_interval": 1000000, "scheduler.lr_warmup_iters": 0}
    words = [f"{key}={value}" for key, value in values.items()]
    return [*start, bench.program("wan-train"), "--training-mode", "pretrain", "--mock", "--config-file", HOME / "inputs" / run_file,
            *words, *overrides]


def two_gpus(bench):
    """One rank and two in turn, then the peer's FSDP2 on the same two."""
    bench.use()
    speeds, other, seen = {1: [], 2: []}, [], {}
    skipped, counted = 3, 5
    for _ in range(min(bench.rounds, 2)):
        for ranks in (1, 2):
            folder = bench.fresh(f"run{ranks}")
            before = bench.nvml.used_gib() or 0
            with Watch(bench.nvml) as watch:
                lines = train_lines(_train_command(bench, folder, 1000000, ranks=ranks), folder, skipped + counted, bench.environment)
            speeds[ranks] += [line["tflops_per_rank"] for line in lines[skipped:]]
            seen = {"ours_gib": watch.most_gib - before if watch.most_gib else None, "sm_mhz": watch.sm_mhz()}
    ours = {"unit": "TF/s/GPU", "ours": median(speeds[2]), "ours_n": len(speeds[2]), **seen}
    ratio = median(speeds[2]) / median(speeds[1])
    rows = [{**ours, "against": "1 rank", "other": median(speeds[1]), "other_n": len(speeds[1]), "ratio": ratio, "own_ratio": ratio}]
    if bench.python and not bench.tiny:
        config = bench.models.folder("1.3B") / "transformer" / "config.json"
        text = run([bench.python, "-m", "torch.distributed.run", "--nproc-per-node", 2, HERE / "peer.py", "fsdp", config],
                   bench.peer_environment)
        answer = json.loads([line for line in text.splitlines() if line.startswith("{")][-1])
        tflop = 3 * bench.models.forward_tflop("1.3B", CLIP, 512)
        other = tflop / median(answer["times_ms"]) * 1e3
        rows.append({**ours, "row": "2-gpu-fsdp2", "against": "FSDP2", "other": other, "other_n": len(answer["times_ms"]),
                     "other_gib": answer["peak_gib"], "ratio": ours["ours"] / other, "torch": answer["torch"]})
    return rows


def _dd_gb_per_s(folder, size):
    """What dd reaches there, bytes on the disk included, in GB/s."""
    path = folder / "dd.bin"
    done = subprocess.run(["dd", "if=/dev/zero", f"of={path}", "bs=16M", f"count={max(1, size >> 24)}", "conv=fsync"],
                          capture_output=True, text=True, env=dict(os.environ, LC_ALL="C"))
    path.unlink(missing_ok=True)
    if done.returncode != 0:
        raise Failed(f"dd: {done.stderr}")
    written, seconds = re.search(r"^(\d+) bytes.*?([\d.e-]+) s,", done.stderr, re.MULTILINE).groups()
    return float(written) / float(seconds) * 1e-9


def checkpoint(bench):
    """Five saves in the background of a training run: what each held the step up, and how fast it was written, against dd before and after."""
    bench.use()
    folder, every = bench.fresh("run"), 10
    rates = [_dd_gb_per_s(folder, (64 << 20) if bench.tiny else (8 << 30)) for _ in range(2)]
    said, seen = _watched(bench, _train_command(bench, folder, 5 * every, f"checkpoint.save_interval={every}", "checkpoint.most_recent_k=1"))
    rates += [_dd_gb_per_s(folder, (64 << 20) if bench.tiny else (8 << 30)) for _ in range(2)]
    saves = metrics(folder, "checkpoint")
    if not saves:  # a wan-train that says no more than how long each was written
        seconds = [float(found) for found in re.findall(r"checkpoint step=.* seconds=([\d.]+)", "\n".join(line for _, line in said))]
        saves = [{"write_ms": 1e3 * one} for one in seconds]
    kept = next(path for path in folder.iterdir() if re.fullmatch(r"iter_\d+", path.name))
    size = sum(path.stat().st_size for path in kept.iterdir())
    shutil.rmtree(folder)
    stalls = [save["stall_ms"] for save in saves if "stall_ms" in save]
    write = [save.get("bytes", size) / save["write_ms"] * 1e-6 for save in saves]
    common = {"gigabytes": size * 1e-9, **seen}
    stall = median(stalls) / 1e3 if stalls else None
    return [{"row": "checkpoint-stall", "unit": "s", "ours": stall, "stall_s": stall, "ours_n": len(stalls), **common},
            {"row": "checkpoint-write", "unit": "GB/s", "ours": median(write), "ours_n": len(write), "against": "dd conv=fsync",
             "other": median(rates), "other_n": len(rates), "ratio": median(write) / median(rates), "write_ratio": median(write) / median(rates), **common}]


def _state_after(bench, name, layers):
    """Losses, gradient norms and the hash of every tensor after a few deterministic steps."""
    folder = bench.fresh(name)
    run(_train_command(bench, folder, 4, "runtime.deterministic=true", f"model.num_layers={layers}"), bench.environment)
    (manifest,) = folder.glob("iter_*/manifest.json")
    tensors = {tensor["path"]: tensor["hash"] for tensor in json.loads(manifest.read_text(encoding="utf-8"))["tensors"]}
    steps = [(line["loss"], line["grad_norm"]) for line in metrics(folder, "train")]
    shutil.rmtree(folder)
    return tensors, steps


def deterministic(bench):
    """A training step with runtime.deterministic against one without; and whether two runs of wan-train, of fewer layers of the same
    width, then agree in every bit."""
    bench.use()
    layers = 2 if bench.tiny else 4
    first, second = _state_after(bench, "first", layers), _state_after(bench, "second", layers)
    shapes, text = _sizes(bench, CLIP, 512)
    strict_side, free_side = bench.use(_dit(bench, "1.3B", True, deterministic=True), _dit(bench, "1.3B", True))
    flags = f"--steps train --recompute norms --grid {';'.join(','.join(map(str, grid)) for grid in shapes)} --text {text}"
    strict, free = (_Ours(bench, side, flags, "train_step_times_ms", 3) for side in (strict_side, free_side))
    mine, other, seen = bench.alternate(strict, lambda: free()[0])
    return [{"unit": "ms", "ours": median(mine), "ours_n": len(mine), "against": "not deterministic", "other": median(other),
             "other_n": len(other), "ratio": median(mine) / median(other), "device": strict.device, **seen, "bound": strict.library_ms(),
             "bits_agree": first == second, "tensors_compared": len(first[0]), "steps_compared": len(first[1])}]

"""Rows of whole programs: wan-sample, wan-prep and wan-train as a user starts them, with random weights or mock data."""
import json
import os
import re
import shutil
import subprocess
import sys
from statistics import mean

from bench import HERE, HOME, Nvml, Watch, median
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


def _fsdp2(bench):
    config = bench.models.folder("1.3B") / "transformer" / "config.json"
    text = run([bench.python, "-m", "torch.distributed.run", "--nproc-per-node", 2, HERE / "peer.py", "fsdp", config],
               bench.peer_environment)
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])


def two_gpus(bench):
    """In turn: a rank alone on each of the first two GPUs, of which the slower one holds two ranks back, both at once, so that they share
    the host and are as warm as with two ranks; two ranks; the peer's FSDP2."""
    bench.use()
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "0,1").split(",")[:2]
    if len(gpus) < 2:
        raise Failed(f"found CUDA_VISIBLE_DEVICES={gpus[0]}, needed: two GPUs")
    nvmls = [Nvml(gpu) for gpu in gpus]
    skipped, counted = 3, 5

    def speeds(ranks, visible):
        """TFLOP/s a rank of the steps that count of a run on each of `visible`, and a Watch of each GPU."""
        runs = []
        for index, some in enumerate(visible):
            folder = bench.fresh(f"run-{ranks}-{index}")
            runs.append((_train_command(bench, folder, 1000000, ranks=ranks), folder, dict(bench.environment, CUDA_VISIBLE_DEVICES=some)))
        with Watch(nvmls[0]) as first, Watch(nvmls[1]) as second:
            found = train_lines(runs, skipped + counted)
        return [[line["tflops_per_rank"] for line in lines[skipped:]] for lines in found], (first, second)

    alone, together, peer = ([], []), [], []
    before = bench.nvml.used_gib() or 0
    for _ in range(min(bench.rounds, 2)):
        found, alone_watches = speeds(1, gpus)
        for times, more in zip(alone, found):
            times += more
        (more,), watches = speeds(2, [",".join(gpus)])
        together += more
        if bench.python and not bench.tiny:
            peer.append(_fsdp2(bench))
    one_gpu = [median(some) for some in alone]
    ours = {"unit": "TF/s/GPU", "ours": median(together), "ours_n": len(together),
            "ours_gib": watches[0].most_gib - before if watches[0].most_gib else None, "sm_mhz": [watch.sm_mhz() for watch in watches]}
    ratio = ours["ours"] / mean(one_gpu)
    rows = [{**ours, "against": "1 rank", "other": mean(one_gpu), "other_n": len(alone[0]), "one_gpu": one_gpu,
             "other_sm_mhz": [watch.sm_mhz() for watch in alone_watches], "ratio": ratio, "own_ratio": ratio}]
    if peer:
        times = [time for answer in peer for time in answer["times_ms"]]
        other = 3 * bench.models.forward_tflop("1.3B", CLIP, 512) / median(times) * 1e3
        rows.append({**ours, "row": "2-gpu-fsdp2", "against": "FSDP2", "other": other, "other_n": len(times),
                     "other_gib": max(answer["peak_gib"] for answer in peer), "ratio": ours["ours"] / other, "torch": peer[0]["torch"]})
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
    rates = [_dd_gb_per_s(folder, (64 << 20) if bench.tiny else (8 << 30)) for _ in range(3)]
    _, seen = _watched(bench, _train_command(bench, folder, 5 * every, f"checkpoint.save_interval={every}", "checkpoint.most_recent_k=1"))
    rates += [_dd_gb_per_s(folder, (64 << 20) if bench.tiny else (8 << 30)) for _ in range(3)]
    saves = metrics(folder, "checkpoint")
    shutil.rmtree(folder)
    stall = median([save["stall_ms"] for save in saves]) / 1e3
    write = median([save["bytes"] / save["write_ms"] * 1e-6 for save in saves])
    ratio = write / median(rates)
    common = {"ours_n": len(saves), "gigabytes": saves[-1]["bytes"] * 1e-9, **seen}
    return [{"row": "checkpoint-stall", "unit": "s", "ours": stall, "stall_s": stall, **common},
            {"row": "checkpoint-write", "unit": "GB/s", "ours": write, "against": "dd conv=fsync", "other": median(rates),
             "other_n": len(rates), "ratio": ratio, "write_ratio": ratio, **common}]


def _state_after(bench, layers, stop=0):
    """The hash of every tensor after four deterministic steps, and the loss and gradient norm of each; with `stop` of a run that ends after
    that step and is started again."""
    folder, before = bench.fresh("run"), []
    command = _train_command(bench, folder, 4, "runtime.deterministic=true", f"model.num_layers={layers}")
    if stop:
        run([*command, f"train.exit_interval={stop}"], bench.environment, code=75)
        before = metrics(folder, "train")
    run(command, bench.environment)
    lines = metrics(folder, "train")
    # With their times: a run that began anew would have made the same steps.
    if lines[:stop] != before:
        raise Failed(f"wan-train did not go on after step {stop}, where it had stopped")
    manifest = max(folder.glob("iter_*/manifest.json"))
    tensors = {tensor["path"]: tensor["hash"] for tensor in json.loads(manifest.read_text(encoding="utf-8"))["tensors"]}
    shutil.rmtree(folder)
    return tensors, [(line["loss"], line["grad_norm"]) for line in lines]


def deterministic(bench):
    """A training step with runtime.deterministic against one without; and whether two runs of wan-train, of fewer layers of the same
    width, and one that is stopped and resumed, then agree in every bit."""
    bench.use()
    layers = 2 if bench.tiny else 4
    first, second, resumed = (_state_after(bench, layers, stop) for stop in (0, 0, 2))
    shapes, text = _sizes(bench, CLIP, 512)
    strict_side, free_side = bench.use(_dit(bench, "1.3B", True, deterministic=True), _dit(bench, "1.3B", True))
    flags = f"--steps train --recompute norms --grid {';'.join(','.join(map(str, grid)) for grid in shapes)} --text {text}"
    strict, free = (_Ours(bench, side, flags, "train_step_times_ms", 3) for side in (strict_side, free_side))
    mine, other, seen = bench.alternate(strict, lambda: free()[0])
    return [{"unit": "ms", "ours": median(mine), "ours_n": len(mine), "against": "not deterministic", "other": median(other),
             "other_n": len(other), "ratio": median(mine) / median(other), "device": strict.device, **seen, "bound": strict.library_ms(),
             "bits_agree": first == second, "resume_agrees": first == resumed, "tensors_compared": len(first[0]),
             "steps_compared": len(first[1])}]

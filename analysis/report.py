#!/usr/bin/env python3
"""One page about a run: what it was, its curves, its samples: report.html, which needs no other file."""
import base64
import html
import json
import subprocess
import sys
import pathlib

from runs import arguments, checkpoints, metrics

STYLE = """body{font:16px/1.5 system-ui,sans-serif;color:#1f2933;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{margin-bottom:0}table{border-collapse:collapse}td,th{padding:.2rem .9rem .2rem 0;text-align:left}
img,video{max-width:100%}.samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:1rem}
.samples video,.samples img{width:100%;image-rendering:pixelated;border-radius:4px}figcaption{font-size:.8rem;color:#616e7c}figure{margin:0}"""


def embedded(path, kind):
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def sample_figures(folder):
    for path in sorted(folder.glob("*.mp4"))[:48]:
        side = path.with_suffix(".json")
        prompt = json.loads(side.read_text()).get("prompt", "") if side.exists() else path.stem
        yield (f'<figure><video src="{embedded(path, "video/mp4")}" autoplay loop muted playsinline></video>'
               f"<figcaption>{html.escape(prompt)}</figcaption></figure>")


def score_facts(score):
    """What wan-demo-score counted: one row for the combinations trained on, one for those left out."""
    for group in ("seen", "left_out"):
        counts = score.get(group, {})
        shares = [f"{key} {counts[key]:.1%}" for key in ("colour", "direction", "both") if counts.get(key) is not None]
        if shares:
            yield f"score, {group.replace('_', ' ')}", f"{', '.join(shares)} of {counts['clips']} samples"


def main():
    run, out = arguments(__doc__)
    here = pathlib.Path(__file__).parent
    for script in ("curves.py", "throughput.py"):
        subprocess.run([sys.executable, here / script, run, "--out", out], check=True, stdout=subprocess.DEVNULL)
    train, found = metrics(run, "train"), checkpoints(run)
    facts = [("run", run.resolve()), ("steps", int(train["step"][-1])), ("loss", f"{train['loss'][-1]:.4f}"),
             ("checkpoints", ", ".join(folder.name for _, folder in found) or "none")]
    score = run / "samples" / "score.json"
    if score.exists():
        facts += list(score_facts(json.loads(score.read_text())))
    rows = "".join(f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>" for k, v in facts)
    samples = "".join(sample_figures(run / "samples"))
    page = (f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(run.name)}</title><style>{STYLE}</style>"
            f"<h1>{html.escape(run.name)}</h1><table>{rows}</table>"
            f'<h2>Training</h2><img src="{embedded(out / "curves.png", "image/png")}" alt="loss curves">'
            f'<img src="{embedded(out / "throughput.png", "image/png")}" alt="throughput">'
            + (f'<h2>Samples</h2><div class="samples">{samples}</div>' if samples else "") + "</html>")
    (out / "report.html").write_text(page, encoding="utf-8")
    print(out / "report.html")


if __name__ == "__main__":
    main()

"""The models that are measured: their configurations as model folders without weights, and their FLOPs."""
import json
import pathlib
import shutil

_TRANSFORMER = {"_class_name": "WanTransformer3DModel", "added_kv_proj_dim": None, "attention_head_dim": 128, "cross_attn_norm": True,
                "eps": 1e-06, "freq_dim": 256, "in_channels": 16, "out_channels": 16, "patch_size": [1, 2, 2],
                "qk_norm": "rms_norm_across_heads", "rope_max_seq_len": 1024, "text_dim": 4096}
TRANSFORMERS = {
    "1.3B": {**_TRANSFORMER, "num_attention_heads": 12, "ffn_dim": 8960, "num_layers": 30},
    "14B": {**_TRANSFORMER, "num_attention_heads": 40, "ffn_dim": 13824, "num_layers": 40},
}
_TEXT_ENCODER = {"vocab_size": 256384, "d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64}


def _read(path):
    return json.loads(path.read_text(encoding="utf-8"))


class Models:
    """Model folders in `scratch`; `tiny` makes all of them the demo's model."""

    def __init__(self, demo, scratch, tiny):
        self.demo, self.scratch, self.tiny = pathlib.Path(demo), pathlib.Path(scratch), tiny

    def transformer(self, name):
        return _read(self.demo / "transformer" / "config.json") if self.tiny else TRANSFORMERS[name]

    def folder(self, name):
        """A whole model: the demo's tokenizer and latent statistics, real sizes, no weights."""
        out = self.scratch / f"model-{name}"
        if out.exists():
            return out
        vae, text = _read(self.demo / "vae" / "config.json"), _read(self.demo / "text_encoder" / "config.json")
        if not self.tiny:
            vae.update(base_dim=96, num_res_blocks=2)
            text.update(_TEXT_ENCODER)
        for part, config in (("transformer", self.transformer(name)), ("vae", vae), ("text_encoder", text)):
            (out / part).mkdir(parents=True)
            (out / part / "config.json").write_text(json.dumps(config), encoding="utf-8")
        shutil.copytree(self.demo / "tokenizer", out / "tokenizer")
        return out

    def forward_tflop(self, name, grids, text, layers=0):
        """Of one forward over samples of these grids (spec of the model FLOPs: projections, attention, feed-forward)."""
        config = self.transformer(name)
        dim, ffn = config["num_attention_heads"] * config["attention_head_dim"], config["ffn_dim"]
        total = 0
        for frames, rows, columns in grids:
            tokens = frames * rows * columns
            total += tokens * (12 * dim * dim + 4 * dim * ffn + 4 * tokens * dim + 4 * text * dim) + 4 * dim * dim * text
        return total * (layers or config["num_layers"]) * 1e-12

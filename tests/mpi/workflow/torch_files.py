"""State dicts as torch.save writes them, and Wan's official names, without torch: what the tests convert from."""
import collections
import pickle
import re
import sys
import types
import zipfile

STORAGES = {"F32": ("FloatStorage", 4), "BF16": ("BFloat16Storage", 2), "F16": ("HalfStorage", 2), "F64": ("DoubleStorage", 8)}


class _Storage:
    def __init__(self, kind, key, elements):
        self.kind, self.key, self.elements = kind, key, elements


class _Tensor:
    def __init__(self, rebuild, storage, shape):
        strides = [1]
        for extent in reversed(shape[1:]):
            strides.insert(0, strides[0] * extent)
        self.parts = (rebuild, (storage, 0, tuple(shape), tuple(strides[:len(shape)]), False, collections.OrderedDict()))

    def __reduce__(self):
        return self.parts


class _Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return ("storage", value.kind, value.key, "cpu", value.elements) if isinstance(value, _Storage) else None


def save_state_dict(tensors, path, compression=zipfile.ZIP_STORED):
    """Writes {name: (dtype, shape, bytes)}, dtypes as safetensors names them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name, _ in STORAGES.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2():
        """Never called: a name for the pickle."""

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        state = collections.OrderedDict()
        for key, (name, (dtype, shape, data)) in enumerate(tensors.items()):
            kind, width = STORAGES[dtype]
            state[name] = _Tensor(_rebuild_tensor_v2, _Storage(getattr(torch, kind), str(key), len(data) // width), shape)
        state._metadata = collections.OrderedDict({"": {"version": 1}})
        with zipfile.ZipFile(path, "w", compression) as archive:
            with archive.open("archive/data.pkl", "w") as file:
                _Pickler(file, protocol=2).dump(state)
            archive.writestr("archive/byteorder", b"little")
            for key, (_, _, data) in enumerate(tensors.values()):
                archive.writestr(f"archive/data/{key}", data)
            archive.writestr("archive/version", b"3\n")
    finally:
        del sys.modules["torch"], sys.modules["torch._utils"]


def official_transformer_name(name):
    """diffusers' name of a weight of the transformer as Wan2.1's code has it (convert_wan_to_diffusers.py, read backwards)."""
    for theirs, official in [("condition_embedder.time_embedder.linear_1", "time_embedding.0"),
                             ("condition_embedder.time_embedder.linear_2", "time_embedding.2"),
                             ("condition_embedder.text_embedder.linear_1", "text_embedding.0"),
                             ("condition_embedder.text_embedder.linear_2", "text_embedding.2"),
                             ("condition_embedder.time_proj", "time_projection.1"), ("proj_out", "head.head"),
                             ("attn1.to_out.0", "self_attn.o"), ("attn2.to_out.0", "cross_attn.o"), ("attn1.to_", "self_attn."),
                             ("attn2.to_", "cross_attn."), ("attn1.", "self_attn."), ("attn2.", "cross_attn."),
                             ("norm2", "norm3"), ("ffn.net.0.proj", "ffn.0"), ("ffn.net.2", "ffn.2")]:
        name = name.replace(theirs, official)
    if name == "scale_shift_table":
        return "head.modulation"
    return name.replace("scale_shift_table", "modulation")


def official_vae_name(name, blocks):
    """The same for the autoencoder, with `blocks` residual blocks in each of the encoder's levels."""
    def up(match):
        inside = int(match[3]) if match[2] == "resnets" else blocks + 1
        return f"decoder.upsamples.{int(match[1]) * (blocks + 2) + inside}."

    name = re.sub(r"decoder\.up_blocks\.(\d+)\.(resnets|upsamplers)\.(\d+)\.", up, name)
    middle = {"mid_block.resnets.0": "middle.0", "mid_block.attentions.0": "middle.1", "mid_block.resnets.1": "middle.2"}
    for theirs, official in {**middle, "encoder.down_blocks": "encoder.downsamples", "coder.conv_in": "coder.conv1",
                             "coder.norm_out": "coder.head.0", "coder.conv_out": "coder.head.2"}.items():
        name = name.replace(theirs, official)
    if name.startswith(("quant_conv", "post_quant_conv")):
        return name.replace("post_quant_conv", "conv2").replace("quant_conv", "conv1")
    if re.search(r"(samples\.\d+|middle\.[02])\.(norm|conv)", name):
        for theirs, official in [("norm1", "residual.0"), ("conv1", "residual.2"), ("norm2", "residual.3"), ("conv2", "residual.6"),
                                 ("conv_shortcut", "shortcut")]:
            name = re.sub(rf"\.{theirs}\.(\w+)$", rf".{official}.\1", name)
    return name


def official_text_name(name):
    """The same for the text encoder."""
    name = re.sub(r"encoder\.block\.(\d+)\.layer\.[01]\.", r"blocks.\1.", name) if "layer_norm" not in name else \
        re.sub(r"encoder\.block\.(\d+)\.layer\.(\d)\.layer_norm", lambda m: f"blocks.{m[1]}.norm{int(m[2]) + 1}", name)
    for theirs, official in [("shared.", "token_embedding."), ("encoder.final_layer_norm", "norm"),
                             ("SelfAttention.relative_attention_bias", "pos_embedding.embedding"), ("SelfAttention.", "attn."),
                             ("DenseReluDense.wi_0", "ffn.gate.0"), ("DenseReluDense.wi_1", "ffn.fc1"),
                             ("DenseReluDense.wo", "ffn.fc2")]:
        name = name.replace(theirs, official)
    return name

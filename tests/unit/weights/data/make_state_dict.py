#!/usr/bin/env python3
"""Writes state_dict.pth beside this file with a real torch: a module's state dict (with its _metadata), in three dtypes, and
views that share a storage. Element i of a tensor is i + its number among them, but for views, which see their base.

usage: make_state_dict.py   (any PyTorch >= 1.6; the file was written with the version that README.md names)
"""
import collections
import pathlib

import torch


def counting(number, *shape, dtype=torch.float32):
    return (torch.arange(torch.Size(shape).numel()) + number).reshape(shape).to(dtype)


def main():
    module = torch.nn.Linear(3, 2)
    module.weight.data, module.bias.data = counting(0, 2, 3), counting(1, 2)
    state = module.state_dict()
    state["short"] = counting(2, 2, 2, dtype=torch.bfloat16)
    state["half"] = counting(3, 5, dtype=torch.float16)
    base = counting(4, 3, 4)
    state["base"] = base
    state["turned"] = base.t()
    state["column"] = base[1:, 2]
    state["parameter"] = torch.nn.Parameter(counting(7, 2, 1))
    state["scalar"] = counting(8)
    assert isinstance(state, collections.OrderedDict) and hasattr(state, "_metadata")
    torch.save(state, pathlib.Path(__file__).with_name("state_dict.pth"))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes resize_cv2.txt: what opencv-python-headless makes of a fixed picture. Run by hand; the result is committed.

Each line: interpolation, source width and height, target width and height, the target's bytes in hexadecimal. The source's
byte i is the top byte of (i * i * 2654435761 + i * 40503) modulo 2^32, the same as in resize_test.cpp.
"""
import cv2
import numpy as np

KINDS = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC, "nearest": cv2.INTER_NEAREST,
         "area": cv2.INTER_AREA, "lanczos": cv2.INTER_LANCZOS4}
SIZES = [((13, 9), (7, 5)), ((13, 9), (17, 11)), ((12, 8), (6, 4)), ((12, 8), (4, 2)), ((14, 10), (14, 5)),
         ((9, 14), (16, 6)), ((1, 3), (5, 4)), ((20, 16), (13, 11))]

with open("resize_cv2.txt", "w", encoding="ascii") as out:
    for (w, h), (tw, th) in SIZES:
        i = np.arange(w * h * 3, dtype=np.uint64)
        source = ((i * i * 2654435761 + i * 40503) % 2**32 >> np.uint64(24)).astype(np.uint8).reshape(h, w, 3)
        for name, kind in KINDS.items():
            target = cv2.resize(source, (tw, th), interpolation=kind)
            out.write(f"{name} {w} {h} {tw} {th} {target.tobytes().hex()}\n")
print("opencv", cv2.__version__)

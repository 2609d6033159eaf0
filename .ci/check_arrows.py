#!/usr/bin/env python3
"""Holds every `#include "folder/header"` below src/ to arrows.txt.

usage: check_arrows.py [SOURCE_ROOT]
Prints one line per include that breaks a rule and per folder without a rule; exit code 1 if there is any.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
SUFFIXES = {".hpp", ".cpp", ".cu", ".cuh", ".h", ".c"}


def read_rules(path):
    rules = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        folder, colon, allowed = line.partition(":")
        if not colon or folder in rules:
            sys.exit(f"{path}:{number}: found '{line}', allowed: each folder once, as 'folder: folder folder'")
        rules[folder] = allowed.split()
    return rules


def is_allowed(target, allowed):
    for name in allowed:
        if name.endswith("/*"):
            if target == name[:-2] or target.startswith(name[:-1]):
                return True
        elif target == name:
            return True
    return False


def complaints(source, rules):
    for file in sorted(source.rglob("*")):
        if file.suffix not in SUFFIXES:
            continue
        folder = str(file.parent.relative_to(source))
        if folder not in rules:
            yield f"{file}: the folder '{folder}' has no line in arrows.txt"
            continue
        for header in INCLUDE.findall(file.read_text()):
            target = str(pathlib.PurePosixPath(header).parent)
            if not (source / header).is_file():
                yield f"{file}: includes '{header}', which is not below {source}"
            elif target != folder and not is_allowed(target, rules[folder]):
                yield f"{file}: '{folder}' may not include '{target}' ({header}); allowed: {' '.join(rules[folder])}"


def main():
    here = pathlib.Path(__file__).resolve().parent
    source = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent / "src"
    found = list(complaints(source, read_rules(here / "arrows.txt")))
    print("\n".join(found) if found else f"{source}: every include follows the arrows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

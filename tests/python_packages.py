#!/usr/bin/env python3
"""Compares the packages of this Python with tests/requirements.txt and names each that is missing or differs."""

import importlib.metadata
import pathlib
import sys


def main():
    wrong = []
    for line in (pathlib.Path(__file__).parent / "requirements.txt").read_text().splitlines():
        requirement = line.split("#")[0].strip()
        if not requirement:
            continue
        name, version = requirement.split("==")
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "nothing"
        if found != version:
            wrong.append(f"{name}: found {found}, needed {version}")
    print("\n".join(wrong) if wrong else "all Python packages of the tests are there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

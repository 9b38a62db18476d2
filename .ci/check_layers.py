"""Fail when a file in csrc/ includes a layer that it may not see."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

MAY_SEE: dict[str, set[str]] = {
    "base": set(),
    "memory": {"base"},
    "image": {"base", "memory"},
    "kernels": {"base", "memory", "image"},
    "codecs": {"base", "memory", "image", "kernels"},
    "pipeline": {"base", "memory", "image", "kernels", "codecs"},
    "sched": {"base", "memory"},
    "observe": {"base"},
    "store": {"base", "memory"},
    "engine": {
        "base",
        "memory",
        "image",
        "kernels",
        "codecs",
        "pipeline",
        "sched",
        "observe",
        "store",
    },
}
INCLUDE = re.compile(r'^\s*#include "([a-z_]+)/', re.MULTILINE)


def violations(root: Path) -> Iterator[str]:
    """Yield a line for each include of a layer that the file's own may not see."""
    for path in sorted(root.glob("*/*")):
        layer = path.parent.name
        text = path.read_text()
        if "Python.h" in text:
            yield f"{path}: csrc never includes Python.h"
        for seen in INCLUDE.findall(text):
            if seen in MAY_SEE and seen != layer and seen not in MAY_SEE[layer]:
                yield f"{path}: {layer} may not include {seen}"


if __name__ == "__main__":
    found = list(violations(Path(sys.argv[1])))
    print("\n".join(found) or "layers: no upward include")
    sys.exit(bool(found))

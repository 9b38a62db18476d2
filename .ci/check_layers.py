"""Fail when a file in csrc/ includes a layer that it may not see.

The table is docs/architecture.md in code: a layer sees those below it and its own files.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

PIXELS = ["base", "memory", "image", "kernels", "codecs", "pipeline"]
MAY_SEE: dict[str, set[str]] = {name: set(PIXELS[:place]) for place, name in enumerate(PIXELS)}
MAY_SEE["sched"] = {"base", "memory"}
MAY_SEE["observe"] = {"base"}
MAY_SEE["store"] = {"base", "memory"}
MAY_SEE["isolation"] = set(PIXELS)
MAY_SEE["engine"] = set(MAY_SEE)

# A layer's file has a slash in its name; <memory> is the standard library's.
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)


def violations(root: Path) -> Iterator[str]:
    """Yield a line for each include of a file that the layer may not see."""
    for path in sorted(root.rglob("*")):
        if path.suffix not in {".h", ".cc"}:
            continue
        layer = path.relative_to(root).parts[0]
        if layer not in MAY_SEE:
            yield f"{path}: {layer} is no layer"
            continue
        for quote, name in INCLUDE.findall(path.read_text()):
            seen = name.split("/")[0] if "/" in name else ""
            if name == "Python.h":
                yield f"{path}: the core never includes Python.h"
            elif seen in MAY_SEE and seen != layer and seen not in MAY_SEE[layer]:
                yield f"{path}: {layer} may not include {name}"
            elif quote == '"' and seen not in MAY_SEE:
                yield f"{path}: {name} is in no layer; write its path from csrc/"


def main() -> int:
    """Print the violations; 1 if there are any."""
    found = list(violations(Path(sys.argv[1])))
    print("\n".join(found) or "layers: no upward include")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

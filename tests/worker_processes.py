"""The worker processes of isolation="process", as /proc shows them."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pixpress

# As the kernel cuts them.
NAMES = ("_worker", "pixpress_hooked")


def isolated(**options: object) -> pixpress.Pool:
    return pixpress.Pool(**{"max_workers": 1, "isolation": "process", **options})


def worker_processes() -> list[int]:
    """Return the worker processes of this process, zombies too."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text()
            except OSError:
                continue
            name, parent = (
                text[text.index("(") + 1 : text.rindex(")")],
                text.rsplit(")", 1)[1].split()[1],
            )
            if int(parent) == os.getpid() and name in ("_worker", "pixpress_hooked"):
                found.append(int(folder.name))
    return sorted(found)


def await_processes(count: int) -> list[int]:
    end = time.monotonic() + 60
    while len(found := worker_processes()) != count:
        assert time.monotonic() < end, found
        time.sleep(0.01)
    return found


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def is_running(pid: int) -> bool:
    """Tell whether there is such a process, other than a zombie that somebody else must reap."""
    try:
        return not status_of(pid)["State"].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return False


def limits_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    rows = (re.split(r" {2,}", line.strip()) for line in lines)
    return {row[0]: row[1] for row in rows}

"""The peak of resident memory of a process."""

from __future__ import annotations

from pathlib import Path


def high_water_bytes(pid: int | str = "self") -> int:
    """Return VmHWM of a process that runs."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"VmHWM is missing from /proc/{pid}/status")

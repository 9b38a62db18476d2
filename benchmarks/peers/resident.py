"""Resident memory of a process."""

from __future__ import annotations

from pathlib import Path


def high_water_bytes(pid: int | str = "self") -> int:
    """Return VmHWM of a process that runs."""
    return _status_bytes("VmHWM", pid)


def resident_bytes(pid: int | str = "self") -> int:
    """Return VmRSS of a process that runs."""
    return _status_bytes("VmRSS", pid)


def _status_bytes(key: str, pid: int | str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{key} is missing from /proc/{pid}/status")

"""What the machine and its software are."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def processor() -> str:
    """Return the processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def load() -> str:
    """Return the mean number of runnable processes of the last 1, 5 and 15 minutes."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def is_busy() -> bool:
    """Tell whether others have kept more than a quarter of the processors busy."""
    return os.getloadavg()[0] > len(os.sched_getaffinity(0)) / 4


def describe() -> dict[str, str]:
    """Return facts of the machine by name."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "Processor": f"{processor()}, {len(os.sched_getaffinity(0))} CPUs",
        "Memory": f"{memory_bytes / 2**30:.0f} GB",
        "System": f"Linux {platform.release()}, Python {platform.python_version()}",
    }

"""The command avifenc of libavif, with libaom."""

from __future__ import annotations

from peers.command import Command
from peers.job import Job

_WORST_QUANTIZER = 63


class Avifenc(Command):
    name = program = "avifenc"

    def version(self) -> str:
        return self.first_line("--version").removeprefix("Version: ")

    def efforts(self, job: Job) -> tuple[str, ...]:
        return ("speed 6",) if job.format == "avif" else ()

    def arguments(self, job: Job, source: str, output: str) -> list[str]:
        # The quality of libavif 1.0 and later, for versions that have none.
        quantizer = ((100 - job.quality) * _WORST_QUANTIZER + 50) // 100
        rate = ["-a", "end-usage=q", "-a", f"cq-level={quantizer}", "--min", "0", "--max", "63"]
        speed = job.effort.split()[1]
        return ["-j", "1", "-y", "420", "-s", speed, "-c", "aom", *rate, source, output]

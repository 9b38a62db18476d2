"""The command gifsicle."""

from __future__ import annotations

from peers.command import Command
from peers.job import Job


class Gifsicle(Command):
    name = program = "gifsicle"

    def efforts(self, job: Job) -> tuple[str, ...]:
        return ("-O1", "-O3") if job.format == "gif" else ()

    def arguments(self, job: Job, source: str, output: str) -> list[str]:
        loss = [] if job.is_lossless else [f"--lossy={job.quality}"]
        return [job.effort, *loss, "--no-warnings", source, "-o", output]

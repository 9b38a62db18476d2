"""The command pngquant."""

from __future__ import annotations

from peers.command import Command
from peers.job import Job


class Pngquant(Command):
    name = program = "pngquant"

    def efforts(self, job: Job) -> tuple[str, ...]:
        return ("speed 4",) if job.has_palette else ()

    def arguments(self, job: Job, source: str, output: str) -> list[str]:
        effort = ["--strip", "--speed", job.effort.split()[1]]
        return ["--force", *effort, "--output", output, str(job.quality), "--", source]

"""The command cwebp of libwebp."""

from __future__ import annotations

from peers.command import Command
from peers.job import Job


class Cwebp(Command):
    name = program = "cwebp"

    def version(self) -> str:
        return self.first_line("-version")

    def efforts(self, job: Job) -> tuple[str, ...]:
        if job.format != "webp":
            return ()
        return ("-z 6", "-z 9") if job.is_lossless else ("-m 4", "-m 6")

    def arguments(self, job: Job, source: str, output: str) -> list[str]:
        effort = job.effort.split()
        kind = ["-q", str(job.quality)]
        if job.is_lossless:  # -z sets that itself; -m does not.
            kind = ["-exact"] if effort[0] == "-z" else ["-lossless", "-exact"]
        return ["-quiet", *effort, *kind, source, "-o", output]

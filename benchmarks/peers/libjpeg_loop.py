"""The bare libjpeg-turbo loop, as a yardstick: planes out of one JPEG into another, no library."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from peers.job import Job

_PROGRAM = Path(__file__).parents[2] / "build" / "release" / "libjpeg_loop_bench"


class LibjpegLoop:
    """Re-encodes with the sampling kept and drops what it made; each run is a new process."""

    name = "bare loop"

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._folder = tempfile.TemporaryDirectory()
        self.last_seconds = 0.0
        self.last_cpu_seconds = 0.0

    @staticmethod
    def available() -> bool:
        return _PROGRAM.exists()

    @staticmethod
    def does(job: Job) -> bool:
        return job.format == "jpeg" and job.side_px is None and job.effort == ""

    def run(self, job: Job, blobs: Iterable[bytes]) -> list[bytes]:
        """Run and keep the seconds that the program says; there are no outputs."""
        names = []
        for number, blob in enumerate(blobs):
            path = Path(self._folder.name) / f"{number}.jpg"
            if not path.exists() or path.stat().st_size != len(blob):
                path.write_bytes(blob)
            names.append(str(path))
        command = [str(_PROGRAM), str(job.quality), str(self._workers), *names]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        self.last_seconds, self.last_cpu_seconds = map(float, done.stdout.split()[:2])
        return []

    def close(self) -> None:
        self._folder.cleanup()

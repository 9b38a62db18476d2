"""What the adapters of commands share: a process per image, files in and out."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from peers.job import Job, ladder_of

# A process starts with the peak of the one that starts it, so that is to be a small one.
_MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


class Command:
    """Runs ``program``. Starting its processes is in the time, as whoever calls it pays that too;
    writing the input and reading the output is not.
    """

    name = ""
    program = ""
    threads = "as many processes at once, with one thread each"

    def __init__(self, workers: int) -> None:
        self._executor = ThreadPoolExecutor(workers)
        self._folder = tempfile.TemporaryDirectory()
        self._last_command: list[str] = []
        self.last_seconds = 0.0

    @classmethod
    def available(cls) -> bool:
        return shutil.which(cls.program) is not None

    def version(self) -> str:
        return self.first_line("--version")

    def ladder(self, job: Job) -> tuple[int, ...]:
        return ladder_of(job)

    def arguments(self, job: Job, source: str, output: str) -> list[str]:
        """Return the arguments that make a file of a file."""
        raise NotImplementedError

    def run(self, job: Job, blobs: Iterable[bytes]) -> list[bytes]:
        folder = Path(self._folder.name)
        sources = []
        for number, blob in enumerate(blobs):
            sources.append(folder / f"{number}.{job.source}")
            sources[-1].write_bytes(blob)
        outputs = [source.with_suffix(f".out.{job.format}") for source in sources]
        start = time.perf_counter()
        for _ in self._executor.map(lambda *files: self._one(job, *files), sources, outputs):
            pass
        self.last_seconds = time.perf_counter() - start
        return [output.read_bytes() for output in outputs]

    def high_water_bytes(self) -> int:
        """Run the last command again, and return its peak."""
        command = [sys.executable, "-I", "-S", "-c", _MEASURE, *self._last_command]
        return int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)

    def close(self) -> None:
        self._executor.shutdown()
        self._folder.cleanup()

    def first_line(self, *arguments: str) -> str:
        """Return the first line that the program prints."""
        done = subprocess.run(
            [self.program, *arguments], stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout.splitlines()[0]

    def _one(self, job: Job, source: Path, output: Path) -> None:
        command = [self.program, *self.arguments(job, str(source), str(output))]
        self._last_command = command
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")

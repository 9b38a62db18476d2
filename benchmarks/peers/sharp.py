"""sharp in one Node.js process that stays up; jobs are timed inside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from peers import resident
from peers.job import DEFAULTS, Job, ladder_of
from peers.pyvips import PALETTE_QUALITIES

_SERVER = Path(__file__).with_name("sharp_server.cjs")


class Sharp:
    name = "sharp"
    threads = "as many images in flight, and UV_THREADPOOL_SIZE"

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            ["node", str(_SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "UV_THREADPOOL_SIZE": str(workers)},
        )
        self.last_seconds = 0.0
        self.last_cpu_seconds = 0.0

    @staticmethod
    def available() -> bool:
        folder = os.environ.get("SHARP_FOLDER")
        return (
            shutil.which("node") is not None
            and folder is not None
            and (Path(folder) / "node_modules" / "sharp").is_dir()
        )

    def version(self) -> str:
        folder = Path(os.environ["SHARP_FOLDER"])
        package = json.loads((folder / "node_modules" / "sharp" / "package.json").read_text())
        return str(package["version"])

    def efforts(self, job: Job) -> tuple[str, ...]:
        if job.format == "gif":
            return ()
        if job.format == "jpeg" and job.side_px is None:
            return ("default", "mozjpeg")
        if job.format == "png" and not job.has_palette:
            return ("default", "level 9, adaptive")
        return ("default",)

    def ladder(self, job: Job) -> tuple[int, ...]:
        return PALETTE_QUALITIES if job.has_palette else ladder_of(job)

    def run(self, job: Job, blobs: Iterable[bytes]) -> list[bytes]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        inputs, outputs = [], []
        for number, blob in enumerate(blobs):
            inputs.append(Path(self._folder.name) / f"{number}.in")
            outputs.append(Path(self._folder.name) / f"{number}.out")
            inputs[-1].write_bytes(blob)
        request = {
            "format": job.format,
            "options": _options(job),
            "side": job.side_px,
            "workers": self._workers,
            "inputs": [str(path) for path in inputs],
            "outputs": [str(path) for path in outputs],
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        reply = json.loads(self._process.stdout.readline())
        if "error" in reply:
            raise RuntimeError(f"sharp: {reply['error']}")
        self.last_seconds = reply["seconds"]  # Without the transport.
        self.last_cpu_seconds = reply["cpuSeconds"]
        return [path.read_bytes() for path in outputs]

    def high_water_bytes(self) -> int:
        return resident.high_water_bytes(self._process.pid)

    def close(self) -> None:
        self._process.communicate(timeout=30)  # Ends with its input.
        self._folder.cleanup()


def _options(job: Job) -> dict[str, Any]:
    if job.format == "jpeg":
        if job.effort == DEFAULTS:
            return {"quality": job.quality}
        if job.effort == "mozjpeg":
            return {"quality": job.quality, "chromaSubsampling": "4:2:0", "mozjpeg": True}
        is_optimized = bool(job.effort)
        options = {"quality": job.quality, "chromaSubsampling": "4:2:0"}
        return options | {"optimiseCoding": is_optimized}
    if job.format == "webp":
        if job.is_lossless:
            return {"lossless": True, "exact": True}
        return {"quality": job.quality}
    if job.format == "avif":
        return {"quality": job.quality, "chromaSubsampling": "4:2:0"}
    if job.has_palette:
        return {"palette": True, "quality": job.quality}
    if job.effort == "default":
        return {}
    return {"compressionLevel": 9, "adaptiveFiltering": True}

"""sharp in one Node.js process that stays up: blobs go over once, jobs are timed inside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from peers.job import Job

_SERVER = Path(__file__).with_name("sharp_server.cjs")


class Sharp:
    name = "sharp"

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.last_seconds = 0.0

    @staticmethod
    def available() -> bool:
        folder = os.environ.get("SHARP_FOLDER")
        return shutil.which("node") is not None and folder is not None

    def _start(self, workers: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["node", str(_SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "UV_THREADPOOL_SIZE": str(workers)},
        )

    def run(self, job: Job, blobs: list[bytes], workers: int) -> list[bytes]:
        if self._process is None:
            self._process = self._start(workers)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {
            "quality": job.quality,
            "side": job.side_px,
            "workers": workers,
            "blobs": [blob.hex() for blob in blobs],
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        reply = json.loads(self._process.stdout.readline())
        self.last_seconds = reply["seconds"]  # Without the transport.
        return [bytes.fromhex(output) for output in reply["outputs"]]

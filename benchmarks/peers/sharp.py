"""sharp in one Node.js process that stays up; jobs are timed inside."""

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

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._process = subprocess.Popen(
            ["node", str(_SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "UV_THREADPOOL_SIZE": str(workers)},
        )
        self.last_seconds = 0.0

    @staticmethod
    def available() -> bool:
        folder = os.environ.get("SHARP_FOLDER")
        return (
            shutil.which("node") is not None
            and folder is not None
            and (Path(folder) / "node_modules" / "sharp").is_dir()
        )

    def run(self, job: Job, blobs: list[bytes]) -> list[bytes]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {
            "quality": job.quality,
            "side": job.side_px,
            "workers": self._workers,
            "blobs": [blob.hex() for blob in blobs],
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        reply = json.loads(self._process.stdout.readline())
        self.last_seconds = reply["seconds"]  # Without the transport.
        return [bytes.fromhex(output) for output in reply["outputs"]]

    def close(self) -> None:
        self._process.communicate(timeout=30)  # Ends with its input.

"""OpenCV: images on Python threads, its own threads at 1."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from peers.job import Job
from peers.jpeg_facts import read_facts

# The ratio that decoding in reduced size leaves to the resize, as in pixpress; less costs quality.
SHRINK_HEADROOM = 1.5


class OpenCV:
    name = "OpenCV"

    def __init__(self, workers: int) -> None:
        self._executor = ThreadPoolExecutor(workers)

    @staticmethod
    def available() -> bool:
        try:
            import cv2
        except ImportError:
            return False
        cv2.setNumThreads(1)
        return True

    def run(self, job: Job, blobs: list[bytes]) -> list[bytes]:
        return list(self._executor.map(lambda blob: self._one(job, blob), blobs))

    def close(self) -> None:
        self._executor.shutdown()

    @staticmethod
    def _one(job: Job, blob: bytes) -> bytes:
        import cv2
        import numpy as np

        flags = cv2.IMREAD_COLOR
        if job.side_px is not None:
            facts = read_facts(blob)
            ratio = max(facts.width, facts.height) / job.side_px
            reduced = {
                8: cv2.IMREAD_REDUCED_COLOR_8,
                4: cv2.IMREAD_REDUCED_COLOR_4,
                2: cv2.IMREAD_REDUCED_COLOR_2,
            }
            fitting = (flag for by, flag in reduced.items() if ratio >= by * SHRINK_HEADROOM)
            flags = next(fitting, flags)
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(np.frombuffer(blob, np.uint8), flags)
        if job.side_px is not None:
            height, width = image.shape[:2]
            scale = min(1.0, job.side_px / max(width, height))
            size = (round(width * scale), round(height * scale))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        options = [cv2.IMWRITE_JPEG_QUALITY, job.quality]
        return cv2.imencode(".jpg", image, options)[1].tobytes()

"""OpenCV: images on Python threads, its own threads at 1."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from peers.job import Job


class OpenCV:
    name = "OpenCV"

    @staticmethod
    def available() -> bool:
        try:
            import cv2
        except ImportError:
            return False
        cv2.setNumThreads(1)
        return True

    def run(self, job: Job, blobs: list[bytes], workers: int) -> list[bytes]:
        with ThreadPoolExecutor(workers) as executor:
            return list(executor.map(lambda blob: self._one(job, blob), blobs))

    @staticmethod
    def _one(job: Job, blob: bytes) -> bytes:
        import cv2
        import numpy as np

        image = cv2.imdecode(
            np.frombuffer(blob, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        )
        if job.side_px is not None:
            height, width = image.shape[:2]
            scale = min(1.0, job.side_px / max(width, height))
            size = (round(width * scale), round(height * scale))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        options = [cv2.IMWRITE_JPEG_QUALITY, job.quality]
        return cv2.imencode(".jpg", image, options)[1].tobytes()

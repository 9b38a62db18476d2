"""OpenCV: images on Python threads, its own threads at 1."""

from __future__ import annotations

from peers.job import Job
from peers.jpeg_facts import read_facts
from peers.threaded import Threaded

# The ratio that decoding in reduced size leaves to the resize, as in pixpress; less costs quality.
SHRINK_HEADROOM = 1.5
_EFFORTS = {"png": ("default", "compression 9"), "avif": ("default", "speed 6")}
_LOSSLESS_WEBP = 101


class OpenCV(Threaded):
    name = "OpenCV"

    @staticmethod
    def available() -> bool:
        try:
            import cv2
        except ImportError:
            return False
        cv2.setNumThreads(1)
        return True

    def version(self) -> str:
        import cv2

        return str(cv2.__version__)

    def efforts(self, job: Job) -> tuple[str, ...]:
        import cv2

        if job.has_palette or job.format == "gif" or not cv2.haveImageWriter(f"a.{job.format}"):
            return ()
        return _EFFORTS.get(job.format, ("default",))

    def encode(self, job: Job, blob: bytes) -> bytes:
        import cv2
        import numpy as np

        image = cv2.imdecode(np.frombuffer(blob, np.uint8), self._read_flags(job, blob))
        if image is None:
            raise ValueError("OpenCV cannot read this image")
        if job.side_px is not None:
            height, width = image.shape[:2]
            scale = min(1.0, job.side_px / max(width, height))
            size = (round(width * scale), round(height * scale))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return cv2.imencode(f".{job.format}", image, self._options(job))[1].tobytes()

    @staticmethod
    def _read_flags(job: Job, blob: bytes) -> int:
        import cv2

        if job.source != "jpeg":
            return int(cv2.IMREAD_UNCHANGED)
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
        return int(flags | cv2.IMREAD_IGNORE_ORIENTATION)

    @staticmethod
    def _options(job: Job) -> list[int]:
        import cv2

        if job.format == "jpeg":
            return [cv2.IMWRITE_JPEG_QUALITY, job.quality]
        if job.format == "webp":
            quality = _LOSSLESS_WEBP if job.is_lossless else job.quality
            return [cv2.IMWRITE_WEBP_QUALITY, quality]
        if job.format == "avif":
            speed = [cv2.IMWRITE_AVIF_SPEED, 6] if job.effort == "speed 6" else []
            return [cv2.IMWRITE_AVIF_QUALITY, job.quality, *speed]
        return [cv2.IMWRITE_PNG_COMPRESSION, 9] if job.effort == "compression 9" else []

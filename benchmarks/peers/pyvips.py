"""pyvips: images on Python threads, libvips's own concurrency at 1, its cache off."""

from __future__ import annotations

import os
from typing import Any

from peers.job import DEFAULTS, Job, ladder_of
from peers.threaded import Threaded

# libvips has no number of colors but the depth; its quantizer takes a quality instead.
PALETTE_QUALITIES = (10, 30, 50, 70, 85, 100)


class PyVips(Threaded):
    name = "pyvips"

    @staticmethod
    def available() -> bool:
        os.environ.setdefault("VIPS_CONCURRENCY", "1")
        try:
            import pyvips
        except (ImportError, OSError):
            return False
        pyvips.cache_set_max(0)
        return True

    def version(self) -> str:
        import pyvips

        return (
            f"{pyvips.__version__} (libvips {'.'.join(str(pyvips.version(i)) for i in range(3))})"
        )

    def efforts(self, job: Job) -> tuple[str, ...]:
        import pyvips

        if job.format == "gif" or f".{job.format}" not in [*pyvips.get_suffixes(), ".jpeg"]:
            return ()
        if job.format == "jpeg" and job.side_px is None:
            return ("default", "mozjpeg")
        if job.format == "png" and not job.has_palette:
            return ("default", "compression 9, all filters")
        return ("default",)

    def ladder(self, job: Job) -> tuple[int, ...]:
        return PALETTE_QUALITIES if job.has_palette else ladder_of(job)

    def encode(self, job: Job, blob: bytes) -> bytes:
        import pyvips

        if job.side_px is None:
            image = pyvips.Image.new_from_buffer(blob, "", access="sequential")
        else:
            image = pyvips.Image.thumbnail_buffer(
                blob, job.side_px, height=job.side_px, size="down", no_rotate=True
            )
        save, options = _saver(job)
        made: bytes = getattr(image, save)(keep="none", **options)
        return made


def _saver(job: Job) -> tuple[str, dict[str, Any]]:
    """Return the method of an image and its options."""
    if job.format == "jpeg" and job.effort == DEFAULTS:
        return "jpegsave_buffer", {"Q": job.quality}
    if job.format == "jpeg":
        options: dict[str, Any] = {"Q": job.quality, "subsample_mode": "on"}
        if job.effort == "mozjpeg":
            trick = {"trellis_quant": True, "overshoot_deringing": True, "quant_table": 3}
            return "jpegsave_buffer", options | trick | {"optimize_scans": True, "interlace": True}
        return "jpegsave_buffer", options | {"optimize_coding": False}
    if job.format == "webp":
        is_lossless = {"lossless": True, "exact": True}
        return "webpsave_buffer", is_lossless if job.is_lossless else {"Q": job.quality}
    if job.format == "avif":
        options = {"compression": "av1", "Q": job.quality, "subsample_mode": "on"}
        return "heifsave_buffer", options
    if job.has_palette:
        return "pngsave_buffer", {"palette": True, "Q": job.quality}
    if job.effort == "default":
        return "pngsave_buffer", {}
    return "pngsave_buffer", {"compression": 9, "filter": "all"}

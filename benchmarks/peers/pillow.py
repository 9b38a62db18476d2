"""Pillow on threads: its codecs release the GIL."""

from __future__ import annotations

import io
from typing import Any

from peers.job import DEFAULTS, Job
from peers.threaded import Threaded

_SMALL = {"jpeg": "optimize, progressive", "png": "optimize", "gif": "optimize"}


class Pillow(Threaded):
    name = "Pillow"

    @staticmethod
    def available() -> bool:
        try:
            import PIL  # noqa: F401
        except ImportError:
            return False
        return True

    def version(self) -> str:
        import PIL
        from PIL import features

        parts = ("libjpeg_turbo", "zlib", "webp", "avif")
        told = (f"{name} {features.version(name)}" for name in parts if features.check(name))
        return f"{PIL.__version__} ({', '.join(told)})"

    def efforts(self, job: Job) -> tuple[str, ...]:
        from PIL import features

        if job.format in ("webp", "avif") and not features.check(job.format):
            return ()
        has_small = job.format in _SMALL and not job.has_palette and job.side_px is None
        return ("default", _SMALL[job.format]) if has_small else ("default",)

    def encode(self, job: Job, blob: bytes) -> bytes:
        from PIL import Image

        image: Image.Image = Image.open(io.BytesIO(blob))
        if job.format == "jpeg":
            # Neither decoder nor encoder converts colors then: faster than RGB.
            image.draft("YCbCr", image.size)
        if job.side_px is not None:
            image.thumbnail((job.side_px, job.side_px), Image.Resampling.LANCZOS)
        if job.has_palette:
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
            image = image.quantize(job.quality)
        out = io.BytesIO()
        image.save(out, job.format.upper(), **self._options(job))
        return out.getvalue()

    @staticmethod
    def _options(job: Job) -> dict[str, Any]:
        is_small = job.effort == _SMALL.get(job.format)
        if job.format == "jpeg" and job.effort == DEFAULTS:
            return {"quality": job.quality}
        if job.format == "jpeg":
            small = {"optimize": True, "progressive": True} if is_small else {}
            return {"quality": job.quality, "subsampling": "4:2:0", **small}
        if job.format == "webp":
            if job.is_lossless:
                return {"lossless": True, "exact": True}
            return {"quality": job.quality}
        if job.format == "avif":
            return {"quality": job.quality, "subsampling": "4:2:0", "max_threads": 1}
        return {"optimize": is_small, **({"save_all": True} if job.format == "gif" else {})}

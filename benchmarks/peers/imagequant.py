"""libimagequant through the package imagequant, between Pillow's decoder and encoder."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io

from peers.job import Job
from peers.threaded import Threaded


class Imagequant(Threaded):
    name = "imagequant"

    @staticmethod
    def available() -> bool:
        return importlib.util.find_spec("imagequant") is not None

    def version(self) -> str:
        return importlib.metadata.version("imagequant")

    def efforts(self, job: Job) -> tuple[str, ...]:
        return ("default",) if job.has_palette else ()

    def encode(self, job: Job, blob: bytes) -> bytes:
        import imagequant
        from PIL import Image

        image = Image.open(io.BytesIO(blob)).convert("RGBA")
        # Not quantize_pil_image, which copies the pixels one by one in Python.
        pixels, palette = imagequant.quantize_raw_rgba_bytes(
            image.tobytes(), *image.size, max_colors=job.quality
        )
        made = Image.frombytes("P", image.size, pixels)
        made.putpalette(palette, rawmode="RGBA")
        out = io.BytesIO()
        made.save(out, "PNG")
        return out.getvalue()

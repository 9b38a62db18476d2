"""Small images of the lossless formats, of every kind that their decoders tell apart."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Color type: channels, and the depths it may have.
PNG_TYPES = {
    0: (1, (1, 2, 4, 8, 16)),
    2: (3, (8, 16)),
    3: (1, (1, 2, 4, 8)),
    4: (2, (8, 16)),
    6: (4, (8, 16)),
}
# Of Adam7: the first column and row, and the steps.
PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _rows(width: int, height: int, bits: int, rng: random.Random) -> bytes:
    """Return rows of any filter; whatever they are, they are pixels."""
    out = b""
    for _ in range(height if width else 0):
        row = bytes(
            rng.choice((0, 1, 3, rng.randrange(256))) for _ in range((width * bits + 7) // 8)
        )
        out += bytes([rng.randrange(5)]) + row
    return out


def _png(color: int, depth: int, interlaced: bool, transparent: bool) -> bytes:
    width, height = 21, 13
    rng = random.Random(f"{color} {depth} {interlaced} {transparent}")
    channels = PNG_TYPES[color][0]
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    chunks = png_chunk(b"IHDR", header)
    if color == 3:
        colors = 1 << depth
        chunks += png_chunk(b"PLTE", rng.randbytes(3 * colors))
        if transparent:
            chunks += png_chunk(b"tRNS", rng.randbytes((colors + 1) // 2))
    elif transparent:
        samples = [rng.choice((0, 1, (1 << depth) - 1)) for _ in range(channels)]
        chunks += png_chunk(b"tRNS", struct.pack(f">{channels}H", *samples))
    data = b""
    if interlaced:
        for x, y, step_x, step_y in PASSES:
            columns, rows = -((x - width) // step_x), -((y - height) // step_y)
            data += _rows(max(columns, 0), max(rows, 0), depth * channels, rng)
    else:
        data = _rows(width, height, depth * channels, rng)
    return (
        PNG_SIGNATURE + chunks + png_chunk(b"IDAT", zlib.compress(data)) + png_chunk(b"IEND", b"")
    )


def png_seeds() -> Iterator[bytes]:
    """Yield PNG of every color type and depth, interlaced or not, with tRNS or without."""
    for color, (_, depths) in PNG_TYPES.items():
        for depth in depths:
            for interlaced in (False, True):
                for transparent in (False, True) if color in (0, 2, 3) else (False,):
                    yield _png(color, depth, interlaced, transparent)


def _picture(index: int = 0, mode: str = "RGBA") -> Image.Image:
    y, x = np.mgrid[0:18, 0:23]
    alpha = np.where((x + y + index) % 5 == 0, 0, 255)
    pixels = np.stack([x * 11 + 20 * index, y * 13, (x ^ y) * 9 + index, alpha], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


def _saved(format: str, frames: list[Image.Image], **options: object) -> bytes:
    out = io.BytesIO()
    if len(frames) > 1:
        options |= {"save_all": True, "append_images": frames[1:]}
    frames[0].save(out, format, **options)
    return out.getvalue()


def apng_seeds() -> Iterator[bytes]:
    """Yield animated PNG of every disposal and blending that Pillow composes as specified."""
    for mode, disposal in (("RGB", 0), ("RGBA", 0), ("RGBA", 1), ("RGBA", 2), ("P", 0), ("L", 0)):
        frames = [_picture(i, mode) for i in range(4)]
        yield _saved("PNG", frames, duration=70, loop=2, disposal=disposal, blend=0)


def gif_seeds() -> Iterator[bytes]:
    """Yield GIF, still, interlaced, transparent, and animated with disposals."""
    for interlace in (0, 1):
        for mode in ("P", "L", "RGBA"):
            yield _saved("GIF", [_picture(0, mode)], interlace=interlace, comment=b"c")
    for disposal in (1, 2, 3):
        for mode in ("P", "RGBA"):
            frames = [_picture(i, mode) for i in range(4)]
            yield _saved("GIF", frames, duration=50, loop=0, disposal=disposal)


def webp_seeds() -> Iterator[bytes]:
    """Yield lossless WebP: few and many colors, alpha, metadata, and animated."""
    flat = _picture(0, "P").quantize(5).convert("RGB")
    for frame in (flat, _picture(0, "RGB"), _picture(0, "RGBA")):
        for effort in (0, 6):
            yield _saved("WEBP", [frame], lossless=True, method=effort, quality=100)
    yield _saved("WEBP", [_picture(0)], lossless=True, xmp=b"x" * 30, exif=b"Exif\0\0II*\0")
    for mode in ("RGB", "RGBA"):
        frames = [_picture(i, mode) for i in range(4)]
        yield _saved("WEBP", frames, lossless=True, duration=30, loop=3)


SEEDS = {
    "png": tuple(png_seeds()),
    "apng": tuple(apng_seeds()),
    "gif": tuple(gif_seeds()),
    "webp": tuple(webp_seeds()),
}

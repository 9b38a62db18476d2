"""Changes to encoded images, half of them behind the checksums and lengths of the container."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Sequence

from differential_seeds import PNG_SIGNATURE, png_chunk

FIELDS = (0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF)
# Of a chunk, or of a whole file where it has none: type and data.
Chunk = tuple[bytes, bytes]


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    """Return `data` with one to three bytes changed, added, dropped or cut off behind."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        if not changed:
            break
        at = rng.randrange(len(changed))
        kind = rng.randrange(8)
        if kind < 3:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 3:
            changed[at] = rng.randrange(256)
        elif kind == 4:
            changed[at] = rng.choice(FIELDS)
        elif kind == 5:
            del changed[at]
        elif kind == 6:
            changed.insert(at, rng.randrange(256))
        elif rng.randrange(4) == 0:
            del changed[at:]
    return bytes(changed)


def chunks_of(data: bytes) -> list[Chunk]:
    """Return the chunks of a PNG or WebP that is whole."""
    found, is_png = [], data.startswith(PNG_SIGNATURE)
    at = 8 if is_png else 12
    while at + 8 <= len(data):
        if is_png:
            length = int.from_bytes(data[at : at + 4], "big")
            found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
            at += 12 + length
        else:
            length = int.from_bytes(data[at + 4 : at + 8], "little")
            found.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
            at += 8 + length + length % 2
    return found


def _join(chunks: Sequence[Chunk], is_png: bool) -> bytes:
    if is_png:
        return PNG_SIGNATURE + b"".join(png_chunk(kind, data) for kind, data in chunks)
    body = b"WEBP"
    for kind, data in chunks:
        body += kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _mutate_data(kind: bytes, data: bytes, rng: random.Random) -> bytes:
    """Change the data of a chunk; that of pixels of PNG before it is deflated, as often as not."""
    head = {b"IDAT": 0, b"fdAT": 4}.get(kind)
    if head is None or rng.randrange(2):
        return mutate_bytes(data, rng)
    return data[:head] + zlib.compress(mutate_bytes(zlib.decompress(data[head:]), rng))


def mutate(seeds: Sequence[bytes], rng: random.Random) -> bytes:
    """Return one of `seeds`, changed."""
    data = rng.choice(seeds)
    if data.startswith(b"GIF") or rng.randrange(4) == 0:
        return mutate_bytes(data, rng)
    chunks = chunks_of(data)
    at, to = rng.randrange(len(chunks)), rng.randrange(len(chunks))
    kind = rng.randrange(8)
    if kind == 0:
        del chunks[at]
    elif kind == 1:
        chunks.insert(to, chunks[at])
    elif kind == 2:
        chunks[at], chunks[to] = chunks[to], chunks[at]
    elif kind == 3:
        chunks[to] = rng.choice(chunks_of(rng.choice(seeds)))
    else:
        chunks[at] = (chunks[at][0], _mutate_data(*chunks[at], rng))
    return _join(chunks, data.startswith(PNG_SIGNATURE))

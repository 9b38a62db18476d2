"""What a JPEG file says of how it was made, read from its markers."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from PIL import Image

_SOF = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SOS, _DHT = 0xDA, 0xC4


@dataclass
class JpegFacts:
    """Size, sampling factors per component, and Huffman tables by class and number."""

    width: int = 0
    height: int = 0
    is_baseline: bool = False
    sampling: tuple[tuple[int, int], ...] = ()
    huffman: dict[int, bytes] = field(default_factory=dict)

    def _read_tables(self, body: bytes) -> None:
        while body:
            end = 17 + sum(body[1:17])
            self.huffman[body[0]] = body[1:end]
            body = body[end:]

    def _read_frame(self, marker: int, body: bytes) -> None:
        self.height, self.width = (int.from_bytes(body[at : at + 2]) for at in (1, 3))
        self.is_baseline = marker == 0xC0
        factors = (body[6 + 3 * i + 1] for i in range(body[5]))
        self.sampling = tuple((factor >> 4, factor & 15) for factor in factors)


def read_facts(data: bytes) -> JpegFacts:
    """Read the markers up to the first scan."""
    facts = JpegFacts()
    at = 2
    while data[at + 1] != _SOS:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        body = data[at + 4 : at + 2 + length]
        if marker in _SOF:
            facts._read_frame(marker, body)
        elif marker == _DHT:
            facts._read_tables(body)
        at += 2 + length
    return facts


def _standard_tables() -> dict[int, bytes]:
    out = io.BytesIO()
    Image.new("RGB", (16, 16)).save(out, "JPEG", optimize=False)  # Those of the standard, annex K.
    return read_facts(out.getvalue()).huffman


STANDARD_TABLES = _standard_tables()

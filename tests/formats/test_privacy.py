"""A default output tells nothing about people and places: no secret of the input is in it."""

from __future__ import annotations

import io
import itertools
import json
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress

SIDE = 64
# Planted where each kind of metadata is; none may be found in an output.
SECRETS = {
    kind: f"SECRET-{kind}-7f3a".encode()
    for kind in (
        *("gps", "thumbnail", "maker", "user", "xmp", "comment", "iptc", "text", "tail"),
        "second",
    )
}
COPYRIGHT, ARTIST = b"(c) 2026 A. Person", b"A. Person"
TARGETS = ("jpeg", "png", "webp", "avif", "gif")
SOURCES = (*TARGETS, "mpo")


def _picture(mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    pixels = np.stack([x * 3, y * 3, (x ^ y) * 3], axis=-1).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


class _Directory:
    """An EXIF directory that is built at a known offset."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, int, bytes]] = []

    def add(self, tag: int, kind: int, count: int, value: bytes) -> None:
        self.entries.append((tag, kind, count, value))

    def build(self, at: int, next_at: int = 0) -> bytes:
        head = struct.pack("<H", len(self.entries))
        tail_at = at + 2 + 12 * len(self.entries) + 4
        tail = b""
        for tag, kind, count, value in sorted(self.entries):
            if len(value) <= 4:
                field = value.ljust(4, b"\0")
            else:
                field = struct.pack("<I", tail_at + len(tail))
                tail += value + b"\0" * (len(value) % 2)
            head += struct.pack("<HHI", tag, kind, count) + field
        return head + struct.pack("<I", next_at) + tail


def exif_block() -> bytes:
    """A TIFF block with orientation, rights, GPS, maker note, user comment and a thumbnail."""
    ascii_kind, undefined, long_kind, short = 2, 7, 4, 3
    parts: dict[str, bytes] = {}
    offsets = {"gps": 1000, "exif": 2000, "thumbnail": 3000, "jpeg": 3500}
    main = _Directory()
    main.add(0x0112, short, 1, struct.pack("<H", 1))
    main.add(0x013B, ascii_kind, len(ARTIST) + 1, ARTIST + b"\0")
    main.add(0x8298, ascii_kind, len(COPYRIGHT) + 1, COPYRIGHT + b"\0")
    main.add(0x8769, long_kind, 1, struct.pack("<I", offsets["exif"]))
    main.add(0x8825, long_kind, 1, struct.pack("<I", offsets["gps"]))
    gps = _Directory()
    gps.add(0x0001, ascii_kind, 2, b"N\0")
    gps.add(0x0002, 5, 3, struct.pack("<6I", 48, 1, 51, 1, 29, 1))
    gps.add(0x001B, undefined, len(SECRETS["gps"]), SECRETS["gps"])
    details = _Directory()
    details.add(0x927C, undefined, len(SECRETS["maker"]), SECRETS["maker"])
    details.add(0x9286, undefined, len(SECRETS["user"]), SECRETS["user"])
    thumbnail = _Directory()
    picture = b"\xff\xd8" + SECRETS["thumbnail"] + b"\xff\xd9"
    thumbnail.add(0x0201, long_kind, 1, struct.pack("<I", offsets["jpeg"]))
    thumbnail.add(0x0202, long_kind, 1, struct.pack("<I", len(picture)))
    parts["main"] = main.build(8, offsets["thumbnail"])
    parts["gps"] = gps.build(offsets["gps"])
    parts["exif"] = details.build(offsets["exif"])
    parts["thumbnail"] = thumbnail.build(offsets["thumbnail"])
    parts["jpeg"] = picture
    block = b"II*\0" + struct.pack("<I", 8) + parts["main"]
    for name, at in offsets.items():
        assert len(block) <= at
        block = block.ljust(at, b"\0") + parts[name]
    return block


def _xmp() -> bytes:
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + SECRETS["xmp"] + b"</x:xmpmeta>"


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _jpeg_source() -> bytes:
    out = io.BytesIO()
    _picture().save(out, "JPEG", quality=95)
    plain = out.getvalue()
    secret = SECRETS["iptc"]
    record = b"\x1c\x02\x78" + struct.pack(">H", len(secret)) + secret
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record
    segments = (
        _segment(0xE1, b"Exif\0\0" + exif_block())
        + _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _xmp())
        + _segment(0xED, b"Photoshop 3.0\0" + resource + b"\0" * (len(record) % 2))
        + _segment(0xEF, SECRETS["text"])
        + _segment(0xFE, SECRETS["comment"])
    )
    return plain[:2] + segments + plain[2:] + SECRETS["tail"]


def _mpo_source() -> bytes:
    """A JPEG with a second picture, which has secrets of its own."""
    out = io.BytesIO()
    second = _picture().rotate(180)
    second.encoderinfo = {"comment": SECRETS["second"], "exif": b"Exif\0\0" + exif_block()}
    _picture().save(
        out, "MPO", save_all=True, append_images=[second], exif=b"Exif\0\0" + exif_block()
    )
    return out.getvalue() + SECRETS["tail"]


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png_source() -> bytes:
    out = io.BytesIO()
    _picture().save(out, "PNG")
    plain = out.getvalue()
    chunks = (
        _png_chunk(b"eXIf", exif_block())
        + _png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _xmp())
        + _png_chunk(b"tEXt", b"Comment\0" + SECRETS["comment"])
        + _png_chunk(b"iTXt", b"Title\0\0\0\0\0" + SECRETS["text"])
        + _png_chunk(b"prVt", SECRETS["iptc"])
    )
    return plain[:33] + chunks + plain[33:] + SECRETS["tail"]


def _webp_source() -> bytes:
    out = io.BytesIO()
    _picture().save(out, "WEBP", lossless=True, exif=b"Exif\0\0" + exif_block(), xmp=_xmp())
    odd = SECRETS["comment"] + b"\0" * (len(SECRETS["comment"]) % 2)
    body = out.getvalue()[8:] + b"PRVT" + struct.pack("<I", len(odd)) + odd
    return b"RIFF" + struct.pack("<I", len(body)) + body + SECRETS["tail"]


def _avif_source() -> bytes:
    # Made by way of a JPEG, with everything kept.
    made = pixpress.compress(_jpeg_source(), format="avif", metadata="all").data
    assert made is not None
    return made + struct.pack(">I", 8 + len(SECRETS["tail"])) + b"free" + SECRETS["tail"]


def _gif_source() -> bytes:
    out = io.BytesIO()
    _picture("P").save(out, "GIF", comment=SECRETS["comment"])
    plain = out.getvalue()
    xmp = b"!\xff\x0bXMP DataXMP" + _xmp() + b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    own = b"!\xff\x0bSECRETS 1.0" + bytes([len(SECRETS["text"])]) + SECRETS["text"] + b"\0"
    at = plain.index(b"!\xfe")
    return plain[:at] + xmp + own + plain[at:] + SECRETS["tail"]


MAKERS: dict[str, Callable[[], bytes]] = {
    "jpeg": _jpeg_source,
    "png": _png_source,
    "webp": _webp_source,
    "avif": _avif_source,
    "gif": _gif_source,
    "mpo": _mpo_source,
}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> bytes:
    """An image full of secrets."""
    if request.param in TARGETS and request.param not in pixpress.features()["read"]:
        pytest.skip(f"{request.param} is not built in")
    return MAKERS[request.param]()


def _found(data: bytes) -> list[str]:
    return [kind for kind, secret in SECRETS.items() if secret in data]


def test_the_sources_hold_what_is_looked_for(source: bytes) -> None:
    assert len(_found(source)) >= 3
    with Image.open(io.BytesIO(source)) as image:
        image.load()
        assert image.size == (SIDE, SIDE)


@pytest.mark.parametrize("target", ["keep", *TARGETS])
@pytest.mark.parametrize("options", [{}, {"width": 32}], ids=["same size", "resized"])
@pytest.mark.parametrize("metadata", ["safe", "none"])
def test_no_secret_is_in_an_output(
    source: bytes, target: str, options: dict[str, int], metadata: str
) -> None:
    if target != "keep" and target not in pixpress.features()["write"]:
        pytest.skip(f"{target} is not built in")
    result = pixpress.compress(source, format=target, metadata=metadata, **options)
    assert _found(result.data) == []
    assert b"SECRET" not in result.data
    assert b"xmpmeta" not in result.data


@pytest.mark.parametrize("format", TARGETS)
def test_nor_is_one_in_an_original_that_is_kept(format: str) -> None:
    if format not in pixpress.features()["write"]:
        pytest.skip(f"{format} is not built in")
    data = MAKERS[format]()
    for _ in range(3):  # At the latest the output of an output cannot become smaller.
        result = pixpress.compress(data, quality=100)
        assert _found(result.data) == []
        data = result.data
    assert result.skipped_reason is pixpress.SkippedReason.NOT_SMALLER


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_safe_keeps_the_rights_and_none_does_not(format: str) -> None:
    data = MAKERS[format]()
    for metadata, is_kept in (("safe", True), ("none", False)):
        result = pixpress.compress(data, metadata=metadata)
        assert (COPYRIGHT in result.data) is is_kept
        assert (ARTIST in result.data) is is_kept


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_all_keeps_what_safe_drops_but_no_bytes_after_the_end(format: str) -> None:
    found = _found(pixpress.compress(MAKERS[format](), metadata="all").data)
    assert {"gps", "thumbnail", "xmp"} <= set(found)
    assert "tail" not in found


needs_exiftool = pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="exiftool is not installed"
)
# Groups of exiftool's tags, as they begin; and tags of other groups.
PRIVATE_GROUPS = ("GPS", "IFD1", "XMP", "IPTC", "MakerNotes", "Photoshop", "MPF", "MPImage")
PRIVATE_TAGS = {"Comment", "UserComment", "Title", "ThumbnailImage"}


def _exiftool(paths: Sequence[Path]) -> Iterator[tuple[Path, set[str], set[str], str]]:
    """Yield each file, the groups and the names of its tags, and all that exiftool says of it."""
    command = ["exiftool", "-json", "-G1", "-a", "-u", "-U", "-ee", "-validate", "-warning", "-all"]
    done = subprocess.run(
        [*command, *map(str, paths)], capture_output=True, text=True, check=True
    ).stdout
    for path, tags in zip(paths, json.loads(done), strict=True):
        assert tags.pop("SourceFile") == str(path)
        names = [name.split(":") for name in tags]
        yield path, {name[0] for name in names}, {name[-1] for name in names}, json.dumps(tags)


@needs_exiftool
def test_exiftool_sees_what_the_sources_hold(source: bytes, tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(source)
    ((_, groups, names, report),) = _exiftool([path])
    assert "SECRET" in report
    assert any(group.startswith(PRIVATE_GROUPS) for group in groups) or names & PRIVATE_TAGS


@needs_exiftool
def test_exiftool_finds_no_private_tag_in_any_output(source: bytes, tmp_path: Path) -> None:
    paths = []
    for target, width, metadata in itertools.product(TARGETS, (None, 32), ("safe", "none")):
        if target not in pixpress.features()["write"]:
            continue
        paths.append(tmp_path / f"{width}-{metadata}.{target}")
        pixpress.compress(source, paths[-1], metadata=metadata, width=width)
    for path, groups, names, report in _exiftool(paths):
        assert not [group for group in groups if group.startswith(PRIVATE_GROUPS)], path
        assert not names & PRIVATE_TAGS, path
        assert "SECRET" not in report, path
        assert "trailer" not in report.lower(), path

"""JPEG files of every odd kind, to every format that can be written."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixpress

CORPUS = Path(
    os.environ.get("PIXPRESS_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus")
)
ODD = CORPUS / "odd_jpeg"
REFUSED = {"monkey12.jpg": "12 bits", "testimgl.jpg": "lossless"}
FILES = (
    sorted(path.name for path in ODD.iterdir() if path.name not in REFUSED) if ODD.is_dir() else []
)
WRITTEN = [name for name in pixpress.features()["write"] if name != "gif"]
# Mean absolute difference to what Pillow decodes, at quality 95 where it is lossy, and at an effort
# that only rounds: what a trellis leaves out would hide a wrong color.
MOST = {"png": 0.0, "jpeg": 1.6, "webp": 3.0, "avif": 1.6}
# Its luma has half the rows: libjpeg repeats them, a resize of planes interpolates.
COARSE_LUMA, COARSE_MOST = "peacock.s-very-weird.jpeg", 4.0
needs_corpus = pytest.mark.skipif(not FILES, reason="the corpus is missing")


def reference(name: str) -> Image.Image:
    with Image.open(ODD / name) as image:
        image.load()
        return image.copy()


def difference(got: Image.Image, wanted: Image.Image) -> float:
    assert got.size == wanted.size
    both = [np.asarray(image.convert("RGB"), np.int16) for image in (got, wanted)]
    return float(np.abs(both[0] - both[1]).mean())


@needs_corpus
@pytest.mark.parametrize("format", WRITTEN)
@pytest.mark.parametrize("name", FILES)
def test_every_odd_jpeg_becomes_every_format_as_pillow_sees_it(name: str, format: str) -> None:
    wanted = reference(name)
    if wanted.mode == "CMYK" and wanted.info.get("icc_profile"):
        pytest.skip("test_color.py compares these with lcms2")
    quality = {} if format == "png" else {"quality": 95, "effort": 2}
    result = pixpress.compress(ODD / name, format=format, auto_orient=False, **quality)
    with Image.open(io.BytesIO(result.data or b"")) as got:
        assert got.size == wanted.size == (result.width, result.height)
        if wanted.mode == "L" and wanted.info.get("icc_profile") and format in ("webp", "avif"):
            return  # Gray became sRGB, see test_color.py.
        is_coarse = name == COARSE_LUMA and format in ("webp", "avif")
        assert difference(got, wanted) <= (COARSE_MOST if is_coarse else MOST[format])


@needs_corpus
@pytest.mark.parametrize("name", FILES)
def test_every_odd_jpeg_can_be_shrunk(name: str) -> None:
    wanted = reference(name)
    if wanted.mode == "CMYK" or min(wanted.size) < 64:
        pytest.skip("too small, or compared with lcms2 elsewhere")
    size = (wanted.width * 2 // 5, wanted.height * 2 // 5)
    result = pixpress.compress(
        ODD / name, format="png", width=size[0], height=size[1], fit="fill", auto_orient=False
    )
    with Image.open(io.BytesIO(result.data or b"")) as got:
        box = wanted.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        assert difference(got, box) <= 4.0


@needs_corpus
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_supported_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(pixpress.UnsupportedFormatError, match=REFUSED[name]):
        pixpress.compress(ODD / name, format="png")
    with pytest.raises(pixpress.UnsupportedFormatError, match=REFUSED[name]):
        pixpress.probe(ODD / name)


@needs_corpus
@pytest.mark.parametrize("options", [{}, {"format": "webp"}, {"metadata": "all"}])
def test_a_gain_map_is_dropped_and_the_warning_says_so(options: dict[str, str]) -> None:
    result = pixpress.compress(ODD / "apple_gainmap_new.jpg", **options)
    assert any("HDR gain map was dropped" in warning for warning in result.warnings)
    with Image.open(io.BytesIO(result.data or b"")) as image:
        assert image.size == (384, 512)
        assert image.format != "MPO"
        assert getattr(image, "n_frames", 1) == 1
        assert image.info["icc_profile"]


def test_further_pictures_of_an_mpo_are_dropped_and_counted() -> None:
    pictures = [Image.new("RGB", (32, 24), color) for color in ("red", "lime", "blue")]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "MPO", save_all=True, append_images=pictures[1:])
    for metadata in ("safe", "all"):
        result = pixpress.compress(buffer.getvalue(), metadata=metadata)
        assert "2 more pictures of the file were dropped" in result.warnings
        with Image.open(io.BytesIO(result.data or b"")) as image:
            assert image.format == "JPEG"
            assert image.convert("RGB").getpixel((9, 9))[0] > 250

"""The metric against the PyPI package of the same name: by its stored scores, and by itself."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import scored_images
from PIL import Image

import pixpress

STORED = json.loads((Path(__file__).parents[1] / "data" / "ssimulacra2.json").read_text())
# What single precision costs.
TOLERANCE = 0.01


def test_scores_are_those_of_the_package() -> None:
    off = {}
    for name, reference, distorted in scored_images.pairs():
        score = pixpress.ssimulacra2(reference, distorted)
        if abs(score - STORED[name]) > TOLERANCE:
            off[name] = (score, STORED[name])
    assert not off
    assert len(STORED) == 288


def over(image: np.ndarray, background: int) -> np.ndarray:
    alpha = image[:, :, 3:].astype(int)
    flat = image[:, :, :3].astype(int) * alpha + background * (255 - alpha)
    return ((flat + 127) // 255).astype(np.uint8)


def test_transparent_images_have_the_lower_score_of_two_backgrounds(photo: np.ndarray) -> None:
    alpha = (np.indices(photo.shape[:2]).sum(0) % 256).astype(np.uint8)
    reference = np.dstack([photo, alpha])
    distorted = np.dstack([photo // 16 * 16, alpha // 8 * 8])
    scores = [pixpress.ssimulacra2(over(reference, b), over(distorted, b)) for b in (26, 230)]
    assert abs(scores[0] - scores[1]) > 0.1
    assert pixpress.ssimulacra2(reference, distorted) == min(scores)


def test_hidden_color_does_not_count(photo: np.ndarray) -> None:
    clear = np.zeros(photo.shape[:2], np.uint8)
    assert pixpress.ssimulacra2(np.dstack([photo, clear]), np.dstack([photo // 2, clear])) == 100


def test_sixteen_bits_score_as_their_upper_eight(photo: np.ndarray) -> None:
    other = photo // 8 * 8
    wide = [image.astype(np.uint16) * 257 for image in (photo, other)]
    assert pixpress.ssimulacra2(*wide) == pixpress.ssimulacra2(photo, other)


def test_an_opaque_image_may_be_scored_against_one_with_alpha(photo: np.ndarray) -> None:
    opaque = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
    other = photo // 8 * 8
    assert pixpress.ssimulacra2(opaque, other) == pixpress.ssimulacra2(photo, other)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (7, 5), (5, 64)])
def test_sides_under_eight_pixels_are_scored_too(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    fine = pixpress.ssimulacra2(image, image // 8 * 8)
    assert pixpress.ssimulacra2(image, image) == 100
    assert pixpress.ssimulacra2(image, image // 64 * 64) < fine < 100


def test_images_of_two_sizes_are_refused(photo: np.ndarray) -> None:
    with pytest.raises(pixpress.OptionError, match="two images of one size"):
        pixpress.ssimulacra2(photo, photo[1:])


def package_score(reference: Image.Image, distorted: Image.Image) -> float:
    package = pytest.importorskip("ssimulacra2", reason="pip install ssimulacra2 to compare")
    files = [io.BytesIO(), io.BytesIO()]
    for file, image in zip(files, (reference, distorted), strict=True):
        image.convert("RGB").save(file, "PPM")
        file.seek(0)
    return float(package.compute_ssimulacra2(*files))


@pytest.mark.long
def test_the_corpus_scores_as_the_package_says(corpus: Path) -> None:
    folders = ("photos_jpeg", "photos_png", "graphics_png")
    paths = [path for folder in folders for path in sorted((corpus / folder).glob("*.*g"))]
    scored = 0
    for path in paths:
        with Image.open(path) as image:
            # The package has no scale for less than eight pixels.
            if min(image.size) < 8 or image.width * image.height > 1e6:
                continue
            reference = image.convert("L" if image.mode == "L" else "RGB")
        for quality in (20, 50, 80, 95):
            file = io.BytesIO()
            reference.save(file, "JPEG", quality=quality)
            distorted = Image.open(file)
            score = pixpress.ssimulacra2(np.asarray(reference), np.asarray(distorted))
            assert abs(score - package_score(reference, distorted)) < 0.05, (path.name, quality)
            scored += 1
    assert scored > 40

"""`target` and `min_quality`: outputs are measured, and are as small as their score allows."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from made_pictures import saved, score
from PIL import Image

import pixpress

LOSSY = [name for name in ("jpeg", "webp", "avif") if name in pixpress.features()["write"]]
# As docs/targets.md promises.
TOLERANCE = 0.25


def photo(width: int = 400, height: int = 300) -> np.ndarray:
    """Smooth shapes, edges and noise, so that the quality decides about the score."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [128 + 90 * np.sin(x / 23 + p) * np.cos(y / 31 - p) for p in (0.0, 1.0, 2.0)]
    noisy = np.stack(planes, axis=-1) + rng.normal(0, 5, (height, width, 3))
    noisy[(x // 40 + y // 30) % 5 == 0] -= 40
    return np.clip(noisy, 0, 255).astype(np.uint8)


def quickly(format: str) -> dict[str, object]:
    """Settings for outputs that do not take long."""
    return {"format": format, "effort": 1 if format == "avif" else 4}


@pytest.mark.parametrize("format", LOSSY)
@pytest.mark.parametrize("target", [60, 70, 82.5])
def test_the_lowest_quality_that_reaches_the_target_is_taken(format: str, target: float) -> None:
    image = photo()
    result = pixpress.compress(image, **quickly(format), target=f"ssimulacra2:{target}")
    assert result.score == pytest.approx(score(image, result.data), abs=1e-4)
    assert result.score >= target - TOLERANCE
    assert result.warnings == ()
    below = pixpress.compress(image, **quickly(format), quality=result.quality - 1)
    assert score(image, below.data) < target + 0.5
    # The search changes nothing but the quality.
    plain = pixpress.compress(image, **quickly(format), quality=result.quality)
    assert plain.data == result.data
    assert plain.score is None


def test_pillow_decodes_what_was_scored() -> None:
    image = photo()
    result = pixpress.compress(image, format="jpeg", target="ssimulacra2:75")
    decoded = np.asarray(Image.open(io.BytesIO(result.data)))
    assert pixpress.ssimulacra2(image, decoded) == pytest.approx(result.score, abs=0.05)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_a_jpeg_of_the_same_size_is_searched_from_its_coefficients(subsampling: str) -> None:
    source = saved(photo(), "JPEG", quality=95, subsampling=subsampling)
    result = pixpress.compress(source, target="ssimulacra2:75")
    measured = score(pixpress.decode(source), result.data)
    assert result.score == pytest.approx(measured, abs=1e-4)
    assert 75 - TOLERANCE <= measured < 78
    assert result.compressed_size < len(source)
    assert result.skipped_reason is pixpress.SkippedReason.NONE
    assert result.data == pixpress.compress(source, quality=result.quality).data


@pytest.mark.parametrize("format", LOSSY)
def test_resized_outputs_are_scored_against_the_resized_image(format: str) -> None:
    source = saved(photo(640, 480), "JPEG", quality=95)
    small = pixpress.decode(pixpress.compress(source, format="png", width=320).data)
    result = pixpress.compress(source, **quickly(format), width=320, target="ssimulacra2:70")
    assert (result.width, result.height) == (320, 240)
    assert score(small, result.data) == pytest.approx(result.score, abs=0.5)
    assert result.score >= 70 - TOLERANCE
    below = pixpress.compress(source, **quickly(format), width=320, quality=result.quality - 10)
    assert score(small, below.data) < 70 or below.compressed_size > 0.94 * result.compressed_size


@pytest.mark.parametrize("format", [name for name in LOSSY if name != "jpeg"])
def test_transparent_images_reach_the_target_over_any_background(format: str) -> None:
    alpha = np.broadcast_to(np.linspace(0, 255, 400).astype(np.uint8), (300, 400))
    image = np.dstack([photo(), alpha])
    result = pixpress.compress(image, **quickly(format), target="ssimulacra2:70")
    assert score(image, result.data) == pytest.approx(result.score, abs=1e-4)
    assert result.score >= 70 - TOLERANCE


@pytest.mark.parametrize("shape", [(300, 401), (5, 3, 3), (8, 64, 3)])
def test_gray_and_tiny_images_reach_the_target_too(shape: tuple[int, ...]) -> None:
    image = photo()[: shape[0], : shape[1]] if len(shape) == 3 else photo(401)[:, :, 1].copy()
    result = pixpress.compress(image, format="jpeg", target="ssimulacra2:60")
    assert score(image, result.data) == pytest.approx(result.score, abs=1e-4)
    assert result.score >= 60 - TOLERANCE


def test_sixteen_bits_are_scored_as_eight() -> None:
    image = photo()
    result = pixpress.compress(
        image.astype(np.uint16) * 257, format="jpeg", target="ssimulacra2:70"
    )
    assert result.data == pixpress.compress(image, format="jpeg", target="ssimulacra2:70").data


def test_a_target_beyond_the_format_takes_its_best_and_says_so() -> None:
    image = photo()
    result = pixpress.compress(image, format="webp", target="ssimulacra2:99")
    assert result.quality == 100
    assert result.score < 99
    assert result.warnings == (
        f"the target was not reached: quality 100 scores {result.score:.2f}",
    )


@pytest.mark.parametrize("format", LOSSY)
def test_max_bytes_is_kept_before_the_target(format: str) -> None:
    image = photo()
    free = pixpress.compress(image, **quickly(format), target="ssimulacra2:80")
    limit = free.compressed_size * 2 // 3
    result = pixpress.compress(image, **quickly(format), target="ssimulacra2:80", max_bytes=limit)
    assert result.compressed_size <= limit
    assert result.score == pytest.approx(score(image, result.data), abs=1e-4)
    assert result.score < 80
    assert "target was not reached" in result.warnings[0]
    same = pixpress.compress(
        image, **quickly(format), target="ssimulacra2:80", max_bytes=free.compressed_size
    )
    assert same.data == free.data


@pytest.mark.parametrize("format", LOSSY)
def test_min_quality_raises_the_quality_only_where_it_must(format: str) -> None:
    image = photo()
    plain = pixpress.compress(image, **quickly(format), quality=20)
    assert score(image, plain.data) < 75
    raised = pixpress.compress(image, **quickly(format), quality=20, min_quality=75)
    assert raised.quality > 20
    assert score(image, raised.data) == pytest.approx(raised.score, abs=1e-4)
    assert raised.score >= 75
    below = pixpress.compress(image, **quickly(format), quality=raised.quality - 1)
    assert score(image, below.data) < 76
    fine = pixpress.compress(image, **quickly(format), quality=95, min_quality=60)
    assert fine.data == pixpress.compress(image, **quickly(format), quality=95).data
    assert fine.score > 60


def test_a_limit_between_floor_and_wish_is_met() -> None:
    image = photo()
    wish = pixpress.compress(image, format="jpeg", quality=90, min_quality=60)
    limit = pixpress.compress(image, format="jpeg", min_quality=60, quality=1).compressed_size
    assert limit < wish.compressed_size
    result = pixpress.compress(image, format="jpeg", quality=90, min_quality=60, max_bytes=limit)
    assert result.compressed_size <= limit
    assert score(image, result.data) >= 60 - 1e-4


@pytest.mark.parametrize("format", LOSSY)
def test_floor_and_limit_that_exclude_each_other_fail_with_the_numbers(format: str) -> None:
    image = photo()
    least = pixpress.compress(image, **quickly(format), quality=1, min_quality=70)
    limit = least.compressed_size * 3 // 4
    with pytest.raises(pixpress.LimitExceededError, match="exclude each other") as caught:
        pixpress.compress(image, **quickly(format), min_quality=70, max_bytes=limit)
    found = re.search(
        r"min_quality 70 and max_bytes (\d+) exclude each other: quality (\d+) makes (\d+) bytes "
        r"and scores ([\d.]+), quality (\d+) makes (\d+) bytes",
        str(caught.value),
    )
    assert found is not None, str(caught.value)
    limit_said, quality, size, scored, next_quality, next_size = map(float, found.groups())
    assert limit_said == limit
    made = pixpress.compress(image, **quickly(format), quality=int(quality)).data
    assert (len(made), round(score(image, made), 2)) == (size, scored)
    assert size <= limit < next_size
    assert scored < 70
    assert next_quality == quality + 1


def test_a_floor_beyond_the_format_fails_with_the_best_score() -> None:
    with pytest.raises(pixpress.LimitExceededError, match="min_quality is 99, and quality 100"):
        pixpress.compress(photo(), format="webp", min_quality=99)


@pytest.mark.parametrize("option", [{"target": "ssimulacra2:99"}, {"min_quality": 99}])
def test_an_original_is_kept_where_the_score_would_cost_more(option: dict[str, object]) -> None:
    source = pixpress.compress(photo(), format="jpeg", quality=60).data
    result = pixpress.compress(source, **option)
    assert result.skipped_reason is pixpress.SkippedReason.NOT_SMALLER
    assert (result.quality, result.score, result.warnings) == (None, None, ())
    assert np.array_equal(pixpress.decode(result.data), pixpress.decode(source))


@pytest.mark.parametrize("format", LOSSY)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_scoring_needs_no_more_memory_than_was_planned(format: str, kind: str) -> None:
    source = saved(photo(1200, 900), kind)
    for option in ({"target": "ssimulacra2:80"}, {"min_quality": 85, "max_bytes": 10_000_000}):
        result = pixpress.compress(source, **quickly(format), **option)
        assert result.score is not None
        assert result.peak_memory <= result.estimated_memory


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "png", "target": "ssimulacra2:80"}, "target needs a lossy output .*, got png"),
        ({"format": "gif", "target": "ssimulacra2:80"}, "target needs a lossy output .*, got gif"),
        ({"format": "webp", "lossless": True, "target": "ssimulacra2:80"}, "got lossless webp"),
        ({"format": "webp", "lossless": True, "min_quality": 80}, "min_quality needs a lossy"),
        ({"format": "webp", "near_lossless": 50, "min_quality": 80}, "min_quality needs a lossy"),
        (
            {"format": "jpeg", "target": "ssimulacra2:70", "min_quality": 80},
            "min_quality 80 is more",
        ),
    ],
)
def test_combinations_without_sense_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(pixpress.OptionError, match=message):
        pixpress.compress(photo(40, 30), **options)


def test_animations_are_not_searched() -> None:
    frames = [Image.fromarray(np.roll(photo(64, 48), 9 * i, axis=1)) for i in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(pixpress.OptionError, match="still image; set animated to False"):
        pixpress.compress(out.getvalue(), format="webp", target="ssimulacra2:70")
    still = pixpress.compress(
        out.getvalue(), format="webp", target="ssimulacra2:70", animated=False
    )
    assert still.score >= 70 - TOLERANCE


@pytest.mark.parametrize(
    "value",
    [
        "80",
        "ssimulacra2",
        "ssimulacra2:0",
        "ssimulacra2:101",
        "dssim:1",
        "ssimulacra2:1e1",
        80,
        True,
    ],
)
def test_other_targets_are_refused(value: object) -> None:
    with pytest.raises(pixpress.OptionError, match="for target"):
        pixpress.Settings(target=value)


def test_a_palette_keeps_its_own_min_quality() -> None:
    result = pixpress.compress(photo(), format="png", min_quality=30)
    assert result.score is None
    assert Image.open(io.BytesIO(result.data)).mode == "P"

"""The short run of the lossless formats against Pillow; `make fuzz` has a longer one."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import differential
import numpy as np
import pytest
from differential_seeds import SEEDS

import pixpress


@pytest.fixture(autouse=True)
def _pillow_may_warn() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("format", SEEDS)
def test_every_seed_is_the_same_to_pillow(format: str) -> None:
    for data in SEEDS[format]:
        mine, other = differential.ours(data), differential.pillow(data)
        assert mine is not None
        assert other is not None
        assert differential.differs(format, mine, other, data) is None


@pytest.mark.parametrize("format", SEEDS)
def test_damaged_images_are_the_same_to_pillow_or_refused(format: str) -> None:
    outcomes, differences = differential.run(format, inputs=600, seed=1)
    assert differences == []
    assert outcomes["the same"] >= 60
    assert outcomes["both refuse"] >= 100


def test_another_pixel_is_a_difference() -> None:
    data = pixpress.encode(np.zeros((4, 5, 3), np.uint8), "png")
    mine, other = differential.ours(data), differential.pillow(data)
    assert mine is not None
    assert other is not None
    assert differential.differs("png", mine, other, data) is None
    mine[0] = mine[0].copy()
    mine[0][2, 3] = 1
    assert differential.differs("png", mine, other, data) == "1 pixels of frame 0"

"""JPEG against Pillow, on real files."""

from __future__ import annotations

import numpy as np
import pytest

import pixpress

# Pillow and pixpress may use different versions of libjpeg-turbo.
MOST_DIFFERENCE = 1.0


def test_decoding_equals_pillow(jpeg, opened) -> None:
    array = pixpress.decode(jpeg.path)
    assert array.dtype == np.uint8
    assert array.shape[:2] == (jpeg.height, jpeg.width)
    image = opened(jpeg.path)
    expected = np.asarray(image)
    assert array.shape == expected.shape
    assert np.abs(array.astype(np.int16) - expected).mean() <= MOST_DIFFERENCE


def test_kinds_that_are_not_supported_say_so(unsupported_jpeg) -> None:
    with pytest.raises(pixpress.UnsupportedFormatError, match=unsupported_jpeg.path.name):
        pixpress.compress(unsupported_jpeg.path)

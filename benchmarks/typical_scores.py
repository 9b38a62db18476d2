"""Print the median SSIMULACRA2 of each lossy format by quality: the tables of typical_score.cc.

python benchmarks/typical_scores.py IMAGE...
"""

from __future__ import annotations

import statistics
import sys

import numpy as np
from PIL import Image

import pixpress

QUALITIES = (1, 10, 20, 30, 40, 50, 60, 70, 80, 85, 89, 90, 95, 100)
SIDE_PX = 700


def main() -> None:
    images = []
    for path in sys.argv[1:]:
        with Image.open(path) as image:
            small = image.convert("RGB")
        small.thumbnail((SIDE_PX, SIDE_PX))
        images.append(np.asarray(small))
    for format in ("jpeg", "webp", "avif"):
        medians = []
        for quality in QUALITIES:
            outputs = [pixpress.encode(image, format, quality=quality) for image in images]
            decoded = [pixpress.decode(output, mode="RGB") for output in outputs]
            scores = map(pixpress.ssimulacra2, images, decoded)
            medians.append(round(statistics.median(scores), 1))
        print(format, *medians)


if __name__ == "__main__":
    main()

"""Print what each lossy format scores and takes by quality: typical_score.cc and typical_size.cc.

python benchmarks/typical_curves.py IMAGE...
"""

from __future__ import annotations

import math
import statistics
import sys

import numpy as np
from PIL import Image

import pixpress

QUALITIES = (1, 10, 20, 30, 40, 50, 60, 70, 80, 85, 89, 90, 95, 100)
ZERO_QUALITY = 80
SIDE_PX = 700


def main() -> None:
    images = []
    for path in sys.argv[1:]:
        with Image.open(path) as image:
            small = image.convert("RGB")
        small.thumbnail((SIDE_PX, SIDE_PX))
        images.append(np.asarray(small))
    for format in ("jpeg", "webp", "avif"):
        zero_bytes = [len(pixpress.encode(image, format, quality=ZERO_QUALITY)) for image in images]
        scores, sizes = [], []
        for quality in QUALITIES:
            outputs = [pixpress.encode(image, format, quality=quality) for image in images]
            decoded = [pixpress.decode(output, mode="RGB") for output in outputs]
            scored = map(pixpress.ssimulacra2, images, decoded)
            scores.append(round(statistics.median(scored), 1))
            pairs = zip(outputs, zero_bytes, strict=True)
            growth = (math.log2(len(output) / zero) for output, zero in pairs)
            sizes.append(round(statistics.median(growth), 2))
        print(format, "scores", *scores)
        print(format, "sizes", *sizes)


if __name__ == "__main__":
    main()

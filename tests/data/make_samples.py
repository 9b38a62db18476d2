"""Generate the sample images of this folder. They are ours, released under CC0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

HERE = Path(__file__).parent


def landscape(width: int, height: int, seed: int) -> np.ndarray:
    """Return hills under a sky with film grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    image = np.stack([90 + 60 * y / height, 130 + 50 * y / height, 220 - 40 * y / height], -1)
    for layer in range(5):
        ridge = height * (0.35 + 0.12 * layer) + sum(
            height * 0.05 / k * np.sin(x * k / width * 7 + rng.uniform(0, 6)) for k in range(1, 7)
        )
        shade = np.array([40 + 14 * layer, 90 + 10 * layer, 50 + 6 * layer])
        texture = rng.normal(0, 10, (height, width, 1))
        image = np.where((y > ridge)[..., None], shade + texture, image)
    return np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)


def main() -> None:
    for seed in (1, 2):
        photo = Image.fromarray(landscape(640, 420, seed))
        photo.save(HERE / f"landscape_{seed}.jpg", quality=94)
    chart = Image.new("RGB", (480, 320), "white")
    draw = ImageDraw.Draw(chart)
    for bar, value in enumerate((80, 190, 130, 260, 220)):
        box = (40 + 85 * bar, 300 - value, 100 + 85 * bar, 300)
        draw.rectangle(box, fill=(30 + 40 * bar, 90, 200 - 30 * bar))
    draw.line((30, 300, 460, 300), fill="black", width=2)
    chart.save(HERE / "chart.png", compress_level=1)


if __name__ == "__main__":
    main()

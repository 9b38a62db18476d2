"""Put the first sample and its compressed version side by side into one picture."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw


def main(samples: Path, outputs: Path, picture: Path) -> None:
    """Write ``picture``: left the sample, right what became of it, with their bytes."""
    sample = sorted(samples.glob("*.jpg"))[0]
    output = outputs / sample.name
    if not output.exists():
        output = next(outputs.rglob(sample.name))
    pair = [sample, output]
    images = [Image.open(path).convert("RGB") for path in pair]
    width, height = images[0].size
    sheet = Image.new("RGB", (2 * width, height + 24), "white")
    draw = ImageDraw.Draw(sheet)
    for column, (path, image) in enumerate(zip(pair, images, strict=True)):
        sheet.paste(image, (column * width, 24))
        label = ("before", "after")[column]
        draw.text((column * width + 8, 6), f"{label}: {path.stat().st_size:,} bytes", fill="black")
    picture.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(picture)
    print(f"before and after: {picture}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

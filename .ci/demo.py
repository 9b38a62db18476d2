"""Compress the samples with the command, show what was saved, and put one before its result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageDraw
from rich.console import Console
from rich.table import Table

# Folder below the output, and what the command is told beside the inputs.
RUNS = {"same format": ["--quality", "80"], "webp": ["--quality", "80", "--format", "webp"]}
CAPTION_PX = 28


def compress(samples: Path, out: Path, arguments: list[str]) -> dict[str, dict]:
    """Run the command on a folder; return its results by the name of the input."""
    command = [Path(sys.executable).with_name("pixpress"), "compress", samples, "-R", "-o", out]
    command += ["--overwrite", "all", "--json", "--quiet", *arguments]
    print("$", "pixpress", *map(str, command[1:]))
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True)
    rows = map(json.loads, done.stdout.splitlines())
    return {Path(row["source"]).name: row for row in rows}


def show(results: dict[str, dict[str, dict]]) -> None:
    """Print a row per sample: its bytes, and what became of them in each run."""
    table = Table("sample", "size")
    table.add_column("original bytes", justify="right")
    for run in results:
        table.add_column(f"{run}: bytes", justify="right")
        table.add_column("saved", justify="right")
    for name, row in next(iter(results.values())).items():
        cells = [name, f"{row['width']}x{row['height']}", f"{row['original_size']:,}"]
        for rows in results.values():
            cells += [f"{rows[name]['compressed_size']:,}"]
            cells += [f"{1 - rows[name]['compression_ratio']:.1%}"]
        table.add_row(*cells)
    table.add_section()
    first = next(iter(results.values())).values()
    cells = ["all", "", f"{sum(row['original_size'] for row in first):,}"]
    for rows in results.values():
        before, after = (
            sum(row[size] for row in rows.values()) for size in ("original_size", "compressed_size")
        )
        cells += [f"{after:,}", f"{1 - after / before:.1%}"]
    table.add_row(*cells)
    Console(width=110).print(table)


def side_by_side(before: Path, after: Path, picture: Path) -> None:
    """Write a picture of two, each under its name and bytes."""
    images = [Image.open(path).convert("RGB") for path in (before, after)]
    width, height = images[0].size
    sheet = Image.new("RGB", (2 * width, height + CAPTION_PX), "white")
    draw = ImageDraw.Draw(sheet)
    for column, path in enumerate((before, after)):
        sheet.paste(images[column], (column * width, CAPTION_PX))
        caption = f"{('before', 'after')[column]}: {path.name}, {path.stat().st_size:,} bytes"
        draw.text((column * width + 8, 8), caption, fill="black")
    sheet.save(picture)


def main() -> None:
    """Demonstrate ``demo.py SAMPLES OUT``."""
    samples, out = map(Path, sys.argv[1:])
    results = {
        run: compress(samples, out / run.replace(" ", "_"), arguments)
        for run, arguments in RUNS.items()
    }
    show(results)
    photo = max(
        (row for name, row in results["same format"].items() if name.endswith(".jpg")),
        key=lambda row: row["saved"],
    )
    picture = out / "before_after.png"
    side_by_side(Path(photo["source"]), Path(photo["output_path"]), picture)
    print(f"before and after, side by side: {picture}")


if __name__ == "__main__":
    main()

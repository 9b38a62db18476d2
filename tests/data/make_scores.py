"""Write ssimulacra2.json: what the PyPI package `ssimulacra2` says about tests/scored_images.py.

It is needed for this only: pip install ssimulacra2; python tests/data/make_scores.py
"""

import io
import json
import sys
from pathlib import Path

import ssimulacra2
from PIL import Image

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

import scored_images  # noqa: E402


def score(reference: scored_images.Array, distorted: scored_images.Array) -> float:
    files = [io.BytesIO(), io.BytesIO()]
    for file, image in zip(files, (reference, distorted), strict=True):
        Image.fromarray(image).convert("RGB").save(file, "PPM")
        file.seek(0)
    return float(ssimulacra2.compute_ssimulacra2(*files))


scores = {name: round(score(a, b), 4) for name, a, b in scored_images.pairs()}
(FOLDER / "ssimulacra2.json").write_text(json.dumps(scores, indent=0) + "\n")

"""Files that are damaged, hostile or no images end as the manifest of the corpus expects."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pixpress

MOST_CPU_SECONDS = 1.0
MOST_EXTRA_BYTES = 64 << 20

# Runs every file with the peak of resident memory reset before, and prints a line for each.
CHILD = """
import json, sys, time
from pathlib import Path
import pixpress

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

def attempt(call):
    try:
        call()
        return None, ""
    except pixpress.PixpressError as error:
        return type(error).__name__, str(error)

out = Path(sys.argv[1])
with pixpress.Pool(max_workers=1) as pool:
    pool.submit(bytes.fromhex(sys.argv[2]), format="webp", effort=1).result()  # Warm.
    for line in sys.stdin:
        path = Path(line.strip())
        print(json.dumps({"begin": str(path)}), flush=True)
        pool.trim()
        Path("/proc/self/clear_refs").write_text("5")
        before = status("VmRSS")
        start = time.process_time()
        kept = attempt(lambda: pool.submit(path, effort=1).result())
        pool.blacklist.clear()  # Or the second job would only say what the first has found.
        to_png = attempt(lambda: pool.submit(path, out / (path.name + ".png"), effort=1).result())
        seconds = (time.process_time() - start) / 2
        print(json.dumps({"name": path.name, "kept": kept, "to_png": to_png, "seconds": seconds,
                          "extra": status("VmHWM") - before}), flush=True)
"""


def tiny_png() -> bytes:
    import numpy as np

    return pixpress.encode(np.zeros((2, 2, 3), np.uint8), "png")


def allowed(kind: str) -> set[str | None]:
    """Error classes, and None for success, that a row of the manifest allows."""
    if kind.startswith("valid but"):
        return {None, "LimitExceededError"}
    errors: set[str | None] = {"CorruptImageError", "UnidentifiedImageError"}
    errors |= {"UnsupportedFormatError", "LimitExceededError"}
    if "renamed" in kind or "zero bytes" in kind:
        return {"UnidentifiedImageError", "UnsupportedFormatError"}
    if "decompression-bomb" in kind:
        return {"LimitExceededError"}
    if "opens as TIF " in kind:  # It is one, and sound: read through Pillow, to a named format.
        return errors | {None, "OptionError"}
    if not kind.startswith("expect error:"):
        return errors | {None}
    return errors


def is_built(name: str) -> bool:
    return Path(name).suffix in (".png", ".jpg", ".jpeg", ".webp")


@pytest.fixture(scope="module")
def reports(bad_files, tmp_path_factory) -> dict[str, dict]:
    out = tmp_path_factory.mktemp("out")
    paths = "".join(f"{file.path}\n" for file in bad_files)
    command = [sys.executable, "-c", CHILD, str(out), tiny_png().hex()]
    child = subprocess.run(command, input=paths, capture_output=True, text=True, timeout=600)
    lines = [json.loads(line) for line in child.stdout.splitlines()]
    assert child.returncode == 0, f"crash or error at {lines[-1:]}: {child.stderr[-2000:]}"
    made = {line["name"]: line for line in lines if "name" in line}
    for name, line in made.items():
        line["has_output"] = (out / f"{name}.png").exists()
    line_names = {file.path.name for file in bad_files}
    assert set(made) == line_names
    left = {path.name for path in out.iterdir()}
    assert left <= {f"{name}.png" for name in line_names}  # No temporary files.
    return made


def test_every_file_ends_as_the_manifest_says(bad_files, reports) -> None:
    wrong = []
    for file in bad_files:
        report = reports[file.path.name]
        for error, message in (report["kept"], report["to_png"]):
            is_named = error is None or file.path.name in message
            has_reason = error is None or len(message) > len(file.path.name) + 10
            if error not in allowed(file.kind) or not is_named or not has_reason:
                wrong.append((file.path.name, file.kind, error, message))
        if report["has_output"] != (report["to_png"][0] is None):
            wrong.append((file.path.name, "output", report["has_output"]))
    assert wrong == []


def test_truncated_files_are_called_damaged(bad_files, reports) -> None:
    cut = [file for file in bad_files if "truncated at" in file.kind and is_built(file.path.name)]
    assert cut
    for file in cut:
        # Shorter than its magic, a file cannot be identified.
        size = int(re.findall(r"truncated at (\d+)", file.kind)[0])
        names = {"CorruptImageError"} | ({"UnidentifiedImageError"} if size < 12 else set())
        assert reports[file.path.name]["kept"][0] in names, file.path.name


def test_no_file_takes_long_or_much_memory(reports) -> None:
    slow = {name: r["seconds"] for name, r in reports.items() if r["seconds"] > MOST_CPU_SECONDS}
    large = {name: r["extra"] for name, r in reports.items() if r["extra"] > MOST_EXTRA_BYTES}
    assert (slow, large) == ({}, {})


def test_a_batch_goes_on(bad_files, tmp_path: Path) -> None:
    good = tiny_png()
    with pixpress.Pool(max_workers=2) as pool:
        futures = []
        for i, file in enumerate(bad_files):
            futures.append(pool.submit(file.path, tmp_path / f"bad{i}.webp", effort=1))
            futures.append(pool.submit(good, tmp_path / f"good{i}.webp"))
        for future in futures:
            future.exception()
    for i in range(len(bad_files)):
        assert (tmp_path / f"good{i}.webp").exists()
    failed = sum(future.exception() is not None for future in futures)
    assert len(list(tmp_path.iterdir())) == len(futures) - failed

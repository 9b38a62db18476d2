"""Outputs that are on the disk before their jobs end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pixpress


@pytest.mark.parametrize("durable", [True, False])
def test_durable_outputs_are_the_same_and_leave_no_other_file(
    durable: bool, photo_file: Path, tmp_path: Path
) -> None:
    plain = pixpress.compress(photo_file, format="webp")
    out = tmp_path / "out"
    with pixpress.Pool(durable=durable) as pool:
        list(pool.map([photo_file] * 1, out_dir=out, format="webp"))
        futures = [pool.submit(photo_file, out / f"{i}.webp") for i in range(100)]
        assert {future.result().compressed_size for future in futures} == {plain.compressed_size}
        kept = pool.submit(photo_file, out / "1.webp", overwrite="never").exception()
        smaller = pool.submit(photo_file, out / "1.webp", overwrite="smaller").result()
    assert isinstance(kept, pixpress.OutputExistsError)
    assert smaller.skipped_reason is pixpress.SkippedReason.OUTPUT_NOT_LARGER
    assert sorted(os.listdir(out)) == sorted(["photo.webp", *[f"{i}.webp" for i in range(100)]])
    assert all(path.read_bytes() == plain.data for path in out.iterdir())


SYNCED = """
import sys, pixpress
with pixpress.Pool(max_workers=1, durable=sys.argv[1] == "True") as pool:
    pool.submit(sys.argv[2], sys.argv[3]).result()
"""


@pytest.mark.parametrize("durable", [True, False])
def test_durable_syncs_the_file_before_and_the_folder_after_the_rename(
    durable: bool, photo_file: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    try:
        calls = "trace=fsync,renameat,renameat2"
        made = str(tmp_path / "made.webp")
        program = [sys.executable, "-c", SYNCED, str(durable), str(photo_file), made]
        tracer = ["strace", "-f", "-y", "-o", str(trace), "-e", calls]
        subprocess.run([*tracer, *program], check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("needs strace, and the right to trace")
    calls = [
        line.split(None, 1)[1].split("(")[0]
        for line in trace.read_text().splitlines()
        if str(tmp_path) in line and "= 0" in line
    ]
    assert calls == (["fsync", "renameat", "fsync"] if durable else ["renameat"])

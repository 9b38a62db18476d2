"""The command's --report: one page that needs nothing else, and obeys no file name."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixpress.cli_inputs import Work
from pixpress.report import Report
from pixpress.result import Result

HOSTILE = (
    "<img src=x onerror=alert(1)>.jpg",
    '" onmouseover="alert(2)' + "'.jpg",
    "&lt;script&gt;.jpg",
    "</title><script>alert(3)<!--.jpg".replace("/", "\u2044"),
    "\u202egpj.exe\x1b[2J\n.jpg",
    b"\xff\xfe bytes.jpg".decode("utf-8", "surrogateescape"),
)


@dataclass
class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and texts by element."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    rows: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "tr":
            self.rows.append([])
        if tag not in ("meta", "img"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        tag = self._open[-1] if self._open else ""
        self.texts.setdefault(tag, []).append(data)
        if tag in ("td", "th"):
            self.rows[-1].append(data)

    def images(self) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag == "img"]


def read(path: Path) -> Page:
    found = Page()
    found.feed(path.read_text(encoding="utf-8"))
    found.close()
    assert not found._open
    return found


def compress(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pixpress", "compress", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path, photo_jpeg: bytes) -> Path:
    """Two images, one that is damaged, and one whose output is there."""
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a.jpg", "b.jpg", "there.jpg"):
        (source / name).write_bytes(photo_jpeg)
    (source / "damaged.jpg").write_bytes(photo_jpeg[:2000])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "there.webp").write_bytes(b"old")
    return source


@pytest.fixture
def report(folder: Path, tmp_path: Path) -> Page:
    path = tmp_path / "pages" / "out.html"
    done = compress(folder, "-R", "-o", tmp_path / "out", "-f", "webp", "--report", path)
    assert done.returncode == 1, done.stderr
    return read(path)


def test_totals_are_those_of_the_last_line(report: Page) -> None:
    files, sizes, time, written = report.texts["dd"]
    assert files == "2 of 4 done, 1 failed, 1 left as they were"
    assert "% saved" in sizes
    assert time.endswith(" s")
    assert written


def test_each_file_is_a_row_with_its_savings(report: Page, photo_jpeg: bytes) -> None:
    rows = {Path(row[0]).name: row for row in report.rows if len(row) == 9 and row[0] != "source"}
    assert rows.keys() == {"a.jpg", "b.jpg"}
    for row in rows.values():
        before, after, saved = (int(text.replace(",", "")) for text in row[4:7])
        assert before == len(photo_jpeg)
        assert before - after == saved > 0
        assert row[2:4] == ["webp", "320x240"]


def test_failures_and_skips_have_their_reasons(report: Page, folder: Path, tmp_path: Path) -> None:
    rows = [row for row in report.rows if len(row) == 3]
    failure = next(row for row in rows if row[0] == str(folder / "damaged.jpg"))
    assert failure[1] == "CORRUPT_IMAGE"
    assert "damaged.jpg" in failure[2]
    kept = [str(folder / "there.jpg"), str(tmp_path / "out" / "there.webp"), "output exists"]
    assert kept in rows


def test_an_original_that_was_kept_is_told_with_the_reason(
    tmp_path: Path, photo_jpeg: bytes
) -> None:
    first, second, third = (tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg"))
    first.write_bytes(photo_jpeg)
    path = tmp_path / "out.html"
    for source, output in ((first, second), (second, third)):
        done = compress(source, "-o", output, "-q", "80", "--report", path)
        assert done.returncode == 0, done.stderr
    found = read(path)
    assert [str(second), str(third), "not smaller"] in found.rows
    assert not found.images()


def test_what_was_salvaged_is_told_and_shown(tmp_path: Path, photo: np.ndarray) -> None:
    Image.fromarray(photo).save(tmp_path / "a.png", compress_level=0)
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) * 3 // 4])
    path = tmp_path / "out.html"
    salvage = ("--on-damage", "salvage")
    done = compress(tmp_path / "a.png", "-o", tmp_path / "a.webp", *salvage, "--report", path)
    assert done.returncode == 0, done.stderr
    found = read(path)
    assert [row[0] for row in found.rows if len(row) == 2][1:] == [str(tmp_path / "a.png")]
    assert len(found.images()) == 2


def test_pairs_show_the_image_before_and_after(report: Page) -> None:
    images = report.images()
    assert len(images) == 4
    assert [image["alt"] for image in images] == ["before", "after"] * 2
    for image in images:
        kind, data = image["src"].split(",", 1)
        assert kind == "data:image/webp;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as shown:
            assert shown.size == (int(image["width"]), int(image["height"])) == (320, 240)


def test_the_page_loads_nothing_and_allows_only_its_own_script_and_style(report: Page) -> None:
    for tag, attributes in report.elements:
        assert tag not in ("link", "iframe", "object", "base", "form")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert attributes.get("src", "data:").startswith("data:")
        assert "href" not in attributes
    policy = next(
        attributes["content"]
        for tag, attributes in report.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for kind in ("style", "script"):
        (text,) = report.texts[kind]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"


def test_file_names_are_text_whatever_they_hold(tmp_path: Path, photo_jpeg: bytes) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name in HOSTILE:
        (source / name).write_bytes(photo_jpeg)
        (source / f"bad {name}").write_bytes(photo_jpeg[:2000])
    path = tmp_path / "out.html"
    compress(source, "-R", "-o", tmp_path / "out", "--report", path)
    found = read(path)
    plain = read_empty(tmp_path)
    allowed = {tag for tag, _ in plain.elements} | {"table", "thead", "tbody", "tr", "th", "td"}
    allowed |= {"h2", "p", "figure", "figcaption", "div", "img"}
    assert {tag for tag, _ in found.elements} <= allowed
    assert sum(tag == "script" for tag, _ in found.elements) == 1
    assert len(found.images()) == 2 * len(HOSTILE)
    sources = [row[0] for row in found.rows]
    for name in HOSTILE[:3]:
        assert str(source / name) in sources
    assert all(text.isprintable() for row in found.rows for text in row)
    assert any(r"\u202egpj.exe\x1b[2J\n.jpg" in text for text in sources)
    assert any(r"\udcff\udcfe bytes.jpg" in text for text in sources)


def read_empty(folder: Path) -> Page:
    """The page of a run without files."""
    path = folder / "empty.html"
    Report(str(path), {}).write([("Files", "none")], has_pictures=True)
    return read(path)


def result(number: int, source: str) -> Result:
    stage_ns = bytes(8)
    return Result(
        number, source, None, "out", "jpeg", 9, 9, 10_000 + number, 9_000, 0.1, stage_ns, 1, 1, 1,
        0, 0, 80, float("nan"), (),
    )  # fmt: skip


def test_the_page_is_bounded_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    found = Report(str(path), {"max_workers": 1})
    for number in range(2100):
        work = Work('"' * 4000 + str(number), "&" * 4000)
        found.add_result(work, result(number, work.source))
        found.add_failure(work, ValueError('"' * 4000))
        found.add_existing(work)
    found.write([], has_pictures=True)
    text = path.read_text(encoding="utf-8")
    assert len(text) < 32 << 20
    assert text.count("100 more are not in this table.") == 3
    assert text.count("<tr>") == 3 * (1 + 2000)
    assert text.index(">3,099<") < text.index(">1,100<")
    assert ">1,099<" not in text


def test_pictures_are_small_however_large_the_image_is(tmp_path: Path, photo: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (2000, 3000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png", compress_level=0)
    path = tmp_path / "out.html"
    done = compress(tmp_path / "noise.png", "-o", tmp_path / "o.jpg", "--report", path)
    assert done.returncode == 0, done.stderr
    images = read(path).images()
    assert len(images) == 2
    for image in images:
        assert len(image["src"]) < 150_000 * 4 / 3 + 100
        assert (int(image["width"]), int(image["height"])) == (720, 480)


def test_an_image_that_was_replaced_has_no_pair(tmp_path: Path, photo_jpeg: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(photo_jpeg)
    path = tmp_path / "out.html"
    done = compress(
        tmp_path / "a.jpg", "-o", tmp_path / "a.jpg", "--overwrite", "all", "--report", path
    )
    assert done.returncode == 0, done.stderr
    assert not read(path).images()
    assert [row[0] for row in read(path).rows if len(row) == 9][1:] == [str(tmp_path / "a.jpg")]


def test_a_report_that_cannot_be_written_is_a_failure_of_the_command(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = compress(
        folder / "a.jpg", "-o", tmp_path / "a.webp", "--report", tmp_path / "file" / "out.html"
    )
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "out.html" in done.stderr
    assert (tmp_path / "a.webp").exists()


@pytest.mark.parametrize("name", ["a.jpg", "out.png", "report"])
def test_a_report_never_takes_the_place_of_an_image(
    folder: Path, tmp_path: Path, name: str
) -> None:
    before = (folder / "a.jpg").read_bytes()
    done = compress(folder, "-R", "-o", tmp_path / "out", "--report", folder / name)
    assert done.returncode == 2
    assert "html" in done.stderr
    assert (folder / "a.jpg").read_bytes() == before
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["there.webp"]

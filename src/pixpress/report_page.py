"""The markup of a report: one page that needs nothing else, and obeys no file name.

All text is escaped. The page's own policy allows its one script and one style sheet, by their
hashes, and images within the page; nothing is loaded.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from .printable import shown

# Characters of a cell at most: names and messages come from others.
_MOST_CHARS = 400


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, and what it is sorted by if that is a number."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Picture:
    """An encoded image of a web format."""

    data: bytes
    format: str
    width: int
    height: int


@dataclass(frozen=True)
class Pair:
    """One image before and after."""

    caption: str
    before: Picture
    after: Picture


_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.15rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem; }
dt { opacity: .7; }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #8884; }
td { overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
th button { all: unset; cursor: pointer; font-weight: inherit; }
th button:focus-visible { outline: 2px solid; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
figure { margin: 1rem 0; max-width: 45rem; }
figcaption { overflow-wrap: anywhere; }
.pair { --cut: 50%; position: relative; display: inline-block; max-width: 100%; }
.pair img { display: block; max-width: 100%; height: auto; }
.pair img + img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain;
  clip-path: inset(0 0 0 var(--cut)); }
.pair::after { content: ""; position: absolute; top: 0; bottom: 0; left: var(--cut); width: 2px;
  background: #fff; box-shadow: 0 0 3px #000; }
figure input { width: 100%; margin: .4rem 0; }
"""

_SCRIPT = """
"use strict";
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const key = (row) => {
      const cell = row.cells[place];
      return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent;
    };
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const order = (one, other) => {
        const [a, b] = [key(one), key(other)];
        return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
      };
      body.append(...[...body.rows].sort(order));
    });
  });
}
for (const pair of document.querySelectorAll(".pair")) {
  const slider = document.createElement("input");
  slider.type = "range";
  slider.value = 50;
  slider.setAttribute("aria-label", "where before ends and after begins, in percent");
  slider.addEventListener("input", () => pair.style.setProperty("--cut", slider.value + "%"));
  pair.after(slider);
}
"""


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


_POLICY = (
    f"default-src 'none'; img-src data:; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; "
    "base-uri 'none'; form-action 'none'"
)


def _text(text: str) -> str:
    visible = shown(text)
    if len(visible) > _MOST_CHARS:
        half = _MOST_CHARS // 2
        visible = f"{visible[:half]} … {visible[-half:]}"
    return escape(visible)


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """What is told in a word each."""
    return f"<dl>{''.join(f'<dt>{_text(a)}</dt><dd>{_text(b)}</dd>' for a, b in rows)}</dl>\n"


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], left_out: int) -> str:
    """A table that its heads sort; empty if it has no rows. `left_out` rows are not in it."""
    lines = ["<tr>" + "".join(map(_cell, row)) + "</tr>\n" for row in rows]
    if not lines:
        return ""
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in heads)
    note = f"<p>{left_out:,} more are not in this table.</p>\n" if left_out else ""
    return (
        f"<h2>{_text(title)}</h2>\n<table><thead><tr>{head}</tr></thead>\n"
        f"<tbody>{''.join(lines)}</tbody></table>\n{note}"
    )


def _cell(cell: Cell) -> str:
    if cell.value is None:
        return f"<td>{_text(cell.text)}</td>"
    return f'<td class="number" data-value="{cell.value:.6g}">{_text(cell.text)}</td>'


def pairs(found: Sequence[Pair]) -> str:
    """Images before (left of the line) and after (right of it)."""
    if not found:
        return ""
    note = "Left of the line before, right of it after; scaled down to fit here."
    return f"<h2>Largest savings</h2>\n<p>{note}</p>\n{''.join(map(_figure, found))}"


def _figure(pair: Pair) -> str:
    images = _image(pair.before, "before") + _image(pair.after, "after")
    return (
        f'<figure><figcaption>{_text(pair.caption)}</figcaption><div class="pair">{images}</div>'
        "</figure>\n"
    )


def _image(picture: Picture, name: str) -> str:
    data = base64.b64encode(picture.data).decode("ascii")
    return (
        f'<img src="data:image/{picture.format};base64,{data}" alt="{name}" '
        f'width="{picture.width}" height="{picture.height}">'
    )


def page(title: str, parts: Iterable[str]) -> str:
    """The whole document."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{_text(title)}</h1>\n{''.join(parts)}<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )

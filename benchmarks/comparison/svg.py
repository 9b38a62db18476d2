"""SVG drawings that are readable on light and on dark pages."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape, quoteattr

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: 600; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.line { fill: none; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .grid { stroke: #3d444d; }
}
"""


class Drawing:
    """Collects elements; ``text`` returns the file."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self._size = width, height
        self._title = title
        self._parts: list[str] = []
        self.label(16, 24, title, kind="title")

    def label(self, x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> None:
        kind = f' class="{kind}"' if kind else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{escape(text)}</text>'
        )

    def grid(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self._parts.append(
            f'<line class="grid" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"/>'
        )

    def line(self, points: list[tuple[float, float]], color: str, dash: str, title: str) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(
            f'<polyline class="line" points="{path}" stroke="{color}" stroke-dasharray="{dash}">'
            f"<title>{escape(title)}</title></polyline>"
        )

    def dot(self, x: float, y: float, color: str, is_filled: bool, title: str) -> None:
        fill = color if is_filled else "none"
        self._parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{fill}" stroke="{color}" '
            f'stroke-width="2"><title>{escape(title)}</title></circle>'
        )

    def text(self) -> str:
        """Return the file."""
        width, height = self._size
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" height="{height:g}" role="img" aria-label={quoteattr(self._title)}>'
        )
        return "\n".join([head, f"<style>{_STYLE}</style>", *self._parts, "</svg>\n"])


class Axis:
    """Maps values from ``low`` to ``high`` to pixels, evenly or by their logarithms."""

    def __init__(
        self, low: float, high: float, start_px: float, end_px: float, is_log: bool = False
    ) -> None:
        self._is_log = is_log
        self._low, self._high = self._scaled(low), self._scaled(high)
        self._start_px, self._end_px = start_px, end_px

    def __call__(self, value: float) -> float:
        part = (self._scaled(value) - self._low) / ((self._high - self._low) or 1)
        return self._start_px + part * (self._end_px - self._start_px)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._is_log else value


def log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten in a range."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    ticks = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
    return [tick for tick in ticks if low <= tick <= high]

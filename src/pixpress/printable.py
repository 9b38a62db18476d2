"""Text and sizes as people may see them."""

from __future__ import annotations


def shown(text: str) -> str:
    """`text` with what a terminal or a browser would obey, or cannot show, as escapes."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def shown_size(size: int) -> str:
    """Bytes for people: powers of 1024, as everywhere in this package."""
    amount = float(size)
    for unit in ("bytes", "KB", "MB", "GB"):
        if abs(amount) < 1024 or unit == "GB":
            break
        amount /= 1024
    return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"

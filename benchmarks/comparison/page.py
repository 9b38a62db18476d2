"""docs/comparison.md, written from results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from comparison import interpolation, plot, sweep
from comparison.results import Curve, Found, Results, Row
from comparison.score import METRICS

_WORSE = "▼"
_TEMPLATE = Path(__file__).with_name("page_template.md")


def write(results: Results) -> str:
    """Return the page."""
    metrics = list(results.metrics)
    matched = next(metric.matched for metric in METRICS if metric.name == metrics[0])
    return _TEMPLATE.read_text().format(
        facts=_facts(results),
        summary=_summary(results),
        sections="\n".join(_section(found, metrics) for found in results.found),
        rounds=results.rounds,
        workers=results.workers,
        side=results.sweep_side_px,
        metric=metrics[0],
        matched=matched,
        megapixels=results.memory_megapixels,
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column is text and whose others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def marked(ratio: float, is_more_better: bool) -> str:
    """Return a ratio, marked if it is worse for us by more than 1 %."""
    is_worse = ratio < 0.99 if is_more_better else ratio > 1.01
    return f"**{ratio:.2f}** {_WORSE}" if is_worse else f"{ratio:.2f}"


def _facts(results: Results) -> str:
    lines = [f"- {name}: {value}" for name, value in results.facts.items()]
    lines += [f"- Score: {name}, {version}" for name, version in results.metrics.items()]
    if results.missing:
        lines.append(f"- Not there, and so not compared: {', '.join(results.missing)}")
    rows = [(name, *facts.values()) for name, facts in results.libraries.items()]
    contenders = table(("contender", "version", f"how it gets {results.workers} threads"), rows)
    return "\n".join([*lines, "", contenders.replace("---:", "---")])


def _ours(found: Found) -> list[Row]:
    return [row for row in found.rows if row.is_ours]


def _peers(found: Found) -> list[Row]:
    return [row for row in found.rows if not row.is_ours]


def _summary(results: Results) -> str:
    """Return a table of the strongest peers: the fastest, and the one of least bytes."""
    metric = next(iter(results.metrics))
    targets = next(each.targets for each in METRICS if each.name == metric)
    target = targets[len(targets) // 2]
    rows = []
    for found in results.found:
        for ours in _ours(found):
            speeds = _worst({p.label: _speed_ratio(found, ours, p) for p in _peers(found)}, True)
            ratios = {p.label: _size_ratio(found, ours, p, target) for p in _peers(found)}
            sizes = _worst(ratios, False)
            rows.append((found.name, ours.effort.removeprefix("effort "), *speeds, *sizes))
    head = ("task", "effort", "speed over the fastest peer", "peer")
    told = table((*head, "bytes over the smallest peer's", "peer"), rows)
    note = (
        f"Bytes of lossy tasks at {metric} {target:g}. The fastest peer and the smallest are often "
        "not the same; the tables below have all pairs.\n"
    )
    return f"{told}\n{note}"


def _worst(ratios: dict[str, float | None], is_more_better: bool) -> tuple[str, str]:
    """Return our worst ratio, and whom it is to."""
    known = {label: ratio for label, ratio in ratios.items() if ratio is not None}
    if not known:
        return "-", "-"
    label = (min if is_more_better else max)(known, key=lambda each: known[each])
    return marked(known[label], is_more_better), label


def _speed_ratio(found: Found, ours: Row, peer: Row) -> float:
    return plot.rate_of(found, ours) / plot.rate_of(found, peer)


def _size_ratio(found: Found, ours: Row, peer: Row, target: float) -> float | None:
    """Return ours over the peer's, over outputs that are worth the same."""
    if found.is_lossless:
        return None if peer.differs else ours.round_bytes / peer.round_bytes
    if ours.curve is None or peer.curve is None:
        return None
    return sweep.ratio(ours.curve, peer.curve, next(iter(ours.curve.scores)), target)[0]


def _section(found: Found, metrics: list[str]) -> str:
    inputs = (
        f"Rounds: {found.round_images} images, {found.round_megapixels:.1f} megapixels, "
        f"{found.input_bytes / 1e6:.2f} MB; {found.material}."
    )
    parts = [f"## {found.name}\n"]
    if found.is_lossless:
        parts += [inputs + "\n", _rounds_table(found, metrics)]
        parts += ["Outputs have the pixels of their inputs, so no score is drawn.\n"]
    else:
        swept = f" Sweep: {found.sweep_images} images, {found.sweep_megapixels:.1f} megapixels."
        parts += [inputs + swept + "\n", _rounds_table(found, metrics)]
        parts += ["Bytes at equal score, ours over the peer's; less is better:\n"]
        parts += [_sizes_table(found, metrics)]
        parts += ["A line for each contender; the lower one takes fewer bits at the same score.\n"]
        parts += [f"![{found.name}: bits against score](comparison/{slug(found.name)}.svg)\n"]
    return "\n".join(parts)


def slug(name: str) -> str:
    """Return a task's name as a file name."""
    return name.lower().replace(" ", "_").replace("-", "_")


def _rounds_table(found: Found, metrics: list[str]) -> str:
    ours = _ours(found)
    speed = [f"speed of {row.effort} over it" for row in ours]
    sizes = [f"bytes of {row.effort} over its" for row in ours] if found.is_lossless else []
    extra = ["MB", *sizes, "differs"] if found.is_lossless else ["quality", f"mean {metrics[0]}"]
    rows = []
    for row in found.rows:
        cells = [row.label, f"{plot.rate_of(found, row):.1f}"]
        cells += [_pair(row, marked(_speed_ratio(found, our, row), True)) for our in ours]
        if found.is_lossless:
            ratios = (our.round_bytes / row.round_bytes for our in ours)
            cells.append(f"{row.round_bytes / 1e6:.3f}")
            cells += [_pair(row, marked(ratio, False)) for ratio in ratios]
            cells.append(row.differs)
        else:
            cells += [str(row.quality), _score_at(row, metrics[0])]
        growth = row.growth_bytes
        cells.append("" if growth is None else f"{growth / 2**20:.0f}")
        rows.append(cells)
    return table(("", "MP/s", *speed, *extra, "memory, MiB"), rows)


def _pair(row: Row, text: str) -> str:
    """Leave out what compares us with ourselves."""
    return "" if row.is_ours else text


def _score_at(row: Row, metric: str) -> str:
    if row.curve is None or row.quality is None:
        return ""
    means = sweep.mean_scores(row.curve, metric)
    value = interpolation.at(list(zip(row.curve.qualities, means, strict=True)), row.quality)
    return "" if value is None else f"{value:.1f}"


def _sizes_table(found: Found, metrics: list[str]) -> str:
    scales = [metric for metric in METRICS if metric.name in metrics]
    columns = [(metric.name, target) for metric in scales for target in metric.targets]
    rows = []
    for ours in _ours(found):
        for peer in _peers(found):
            if ours.curve is None or peer.curve is None:
                continue
            cells = [_ratio_cell(ours.curve, peer.curve, *column) for column in columns]
            rows.append((ours.effort, peer.label, *cells))
    head = [f"{name} {target:g}" for name, target in columns]
    return table(("ours", "peer", *head), rows)


def _ratio_cell(ours: Curve, peer: Curve, metric: str, target: float) -> str:
    value, images = sweep.ratio(ours, peer, metric, target)
    if value is None:
        return "-"
    count = len(ours.sizes_bytes[0])
    return marked(value, False) + (f" ({images})" if images < count else "")

"""Time contenders in turns, and play their rounds to pytest-benchmark.

pytest-benchmark times one function after the other, so that whatever disturbs the machine for some
seconds disturbs one contender only. Here every round runs every contender once, in an order that
rotates, after one round to warm up. pytest-benchmark then gets the measured seconds through its
timer, and makes its tables, comparisons and JSON of them.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

Seconds = dict[str, list[float]]
# Runs a contender once and returns its seconds.
Contender = Callable[[], float]


def in_turns(contenders: Mapping[str, Contender], rounds: int) -> Seconds:
    """Return the seconds of ``rounds`` rounds of each contender, run in turns."""
    names = list(contenders)
    seconds: Seconds = {name: [] for name in names}
    for round_number in range(rounds + 1):
        first = round_number % len(names)
        for name in names[first:] + names[:first]:
            taken = contenders[name]()
            if round_number > 0:
                seconds[name].append(taken)
    return seconds


def medians(seconds: Seconds) -> dict[str, float]:
    """Return the median of each contender's rounds."""
    return {name: statistics.median(values) for name, values in seconds.items()}


class Tape:
    """A clock that stands still but for the recorded seconds that it plays."""

    def __init__(self) -> None:
        self._now = 0.0

    def clock(self) -> float:
        """Return the time; what pytest-benchmark reads before and after each round."""
        return self._now

    def play(self, benchmark: Any, rounds: list[float]) -> None:
        """Give recorded rounds to pytest-benchmark."""
        left = iter(rounds)

        def advance() -> None:
            self._now += next(left)

        benchmark.pedantic(advance, rounds=len(rounds), iterations=1)


TAPE = Tape()

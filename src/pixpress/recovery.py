"""Jobs that an earlier owner of a journal has left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import _native
from .future import JobFuture
from .journal import make_row
from .submitter import Submitter


def resubmit(pool: Submitter, entries: Sequence[_native.JournalEntry]) -> Iterator[JobFuture]:
    """Queue `entries` again, suspects of a crash first.

    Links in the place of outputs are not followed: those that were meant, were when it was
    submitted.
    """
    # All are read before the first one is queued: it is all of them or none.
    works = [(entry, make_row(entry)) for entry in entries]
    requests = [
        (entry, row, pool._request(row.source, row.output_path, row.settings, {}, follows=False))
        for entry, row in sorted(works, key=lambda work: (not work[1].crashes, work[1].id))
    ]
    for entry, row, request in requests:
        yield pool._enqueue(request, row.priority, -1, row.batch, entry)

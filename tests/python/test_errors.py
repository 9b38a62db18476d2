"""The classes of errors: bases, codes, and that they survive pickling."""

from __future__ import annotations

import copy
import errno
import pickle

import pytest

import pixpress
from pixpress import errors

BASES = {
    "InputError": OSError,
    "OutputError": OSError,
    "OutputExistsError": FileExistsError,
    "UnidentifiedImageError": OSError,
    "CorruptImageError": OSError,
    "UnsupportedFormatError": ValueError,
    "EncoderUnavailableError": ValueError,
    "LimitExceededError": ValueError,
    "OptionError": ValueError,
    "MemoryLimitError": MemoryError,
    "TaskTimeoutError": TimeoutError,
    "QueueTimeoutError": TimeoutError,
    "QueueFullError": Exception,
    "PoolClosedError": RuntimeError,
    "ForkedPoolError": RuntimeError,
    "JournalError": OSError,
    "WorkerCrashedError": Exception,
}


@pytest.mark.parametrize("name", BASES)
def test_every_error_is_public_and_has_its_built_in_base(name: str) -> None:
    kind = getattr(pixpress, name)
    assert name in pixpress.__all__
    assert issubclass(kind, pixpress.PixpressError)
    assert issubclass(kind, BASES[name])


def test_codes_are_stable_names_and_unique() -> None:
    codes = [getattr(pixpress, name).code for name in BASES]
    assert len(set(codes)) == len(codes)
    assert all(code == code.upper() for code in codes)


@pytest.mark.parametrize("status", range(len(errors.BY_STATUS)))
def test_errors_of_the_core_can_be_pickled_and_copied(status: int) -> None:
    error = errors.make_error(status, "a.jpg: why", "decode", errno.EMFILE, "a.jpg", "b.jpg")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == "a.jpg: why"
        assert (twin.code, twin.stage, twin.retryable) == (error.code, "decode", error.retryable)
        if isinstance(error, OSError):
            assert isinstance(twin, OSError)
            assert (twin.errno, twin.filename) == (error.errno, error.filename)


def test_an_oserror_names_the_file_that_it_is_about() -> None:
    def filename(status: int, source: str) -> object:
        return getattr(errors.make_error(status, "why", "", 2, source, "out.jpg"), "filename", None)

    assert filename(1, "in.jpg") == "in.jpg"
    assert filename(1, "<bytes>") is None
    assert filename(2, "<bytes>") == "out.jpg"


@pytest.mark.parametrize(("number", "passes"), [(errno.EMFILE, True), (errno.ENOENT, False)])
def test_an_error_is_retryable_if_its_cause_may_pass(number: int, passes: bool) -> None:
    assert errors.make_error(1, "why", "read", number, "a.jpg").retryable is passes


def test_a_job_says_where_it_failed(photo_jpeg: bytes) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        error = pool.submit(photo_jpeg[:-5000]).exception()
    assert isinstance(error, pixpress.CorruptImageError)
    assert error.stage in ("probe", "decode")
    assert str(error).startswith("<bytes>: ")

"""What arguments may be."""

from __future__ import annotations

from pathlib import Path

import pytest

import pixpress


def test_a_misspelled_setting_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(pixpress.OptionError, match=r"got 'qualty' \(did you mean 'quality'\?\)"):
        pixpress.compress(b"", qualty=80)


def test_a_misspelled_pool_option_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(pixpress.OptionError, match=r"did you mean 'max_workers'\?"):
        pixpress.Pool(max_worker=2)


def test_nothing_is_guessed_for_a_name_like_no_other() -> None:
    with pytest.raises(pixpress.OptionError, match=r"got 'zzz'$"):
        pixpress.compress(b"", zzz=1)


@pytest.mark.parametrize("source", ["photo.jpg", b"\xff\xd8\xff", Path("photo.jpg")], ids=repr)
def test_one_source_is_not_taken_for_many(source: object) -> None:
    with pixpress.Pool(max_workers=1) as pool:
        with pytest.raises(pixpress.OptionError, match="an iterable of sources, got one"):
            pool.map(source)
        with pytest.raises(pixpress.OptionError, match="an iterable of sources, got one"):
            pool.as_completed(source)

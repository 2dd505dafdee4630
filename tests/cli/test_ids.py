"""Ids that a client makes itself."""

from __future__ import annotations

import re

from cli.ids import new_id
from contracts.envelope import TOKEN


def test_an_id_is_a_ulid_and_a_token() -> None:
    made = new_id()
    assert re.fullmatch("[0-7][0-9A-HJKMNP-TV-Z]{25}", made)
    assert re.fullmatch(TOKEN, made)


def test_no_two_are_equal_and_later_ones_do_not_sort_before() -> None:
    made = [new_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    moments = [one[:10] for one in made]
    assert moments == sorted(moments)

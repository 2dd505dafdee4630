"""Codes: random to whoever lacks the secret, forgiving to who types them, kept as a hash."""

from __future__ import annotations

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.points.codes import (
    ALPHABET,
    LENGTH,
    as_meant,
    code_of,
    fits,
    hash_of,
    pseudonym_of,
    secret_for,
)

SECRET = secret_for(b"m" * 32, "redemption codes")
IDS = st.text("abcXYZ019_-", min_size=1, max_size=20).map(lambda rest: f"take-{rest}")


def test_a_code_has_a_hundred_bits_in_groups_that_can_be_read_aloud() -> None:
    code = code_of(SECRET, "take-1", 1)
    assert [len(group) for group in code.split("-")] == [5, 5, 5, 5]
    assert set(code) <= {*ALPHABET, "-"}
    assert LENGTH * 5 >= 80


@for_all(IDS, st.integers(1, 3))
def test_the_same_redemption_has_the_same_code_and_it_fits(redemption: str, issue: int) -> None:
    code = code_of(SECRET, redemption, issue)
    assert code == code_of(SECRET, redemption, issue)
    assert fits(hash_of(redemption, code), redemption, code)
    assert code.replace("-", "") not in hash_of(redemption, code).upper()


@for_all(IDS, IDS.map(lambda one: f"{one}x"))
def test_another_redemption_number_or_secret_has_another_code(one: str, other: str) -> None:
    codes = {
        code_of(SECRET, one, 1),
        code_of(SECRET, one, 2),
        code_of(SECRET, f"{one}-{other}", 1),
        code_of(secret_for(b"n" * 32, "redemption codes"), one, 1),
        code_of(secret_for(b"m" * 32, "something else"), one, 1),
    }
    assert len(codes) == 5
    assert not fits(hash_of(one, code_of(SECRET, one, 1)), other, code_of(SECRET, one, 1))


@for_all(st.data())
def test_one_wrong_symbol_is_a_wrong_code(data: st.DataObject) -> None:
    code = code_of(SECRET, "take-1", 1)
    place = data.draw(st.sampled_from([n for n, symbol in enumerate(code) if symbol != "-"]))
    other = data.draw(st.sampled_from([s for s in ALPHABET if s != code[place]]))
    wrong = code[:place] + other + code[place + 1 :]
    assert not fits(hash_of("take-1", code), "take-1", wrong)


@pytest.mark.parametrize(
    ("typed", "meant"), [("0O-il1 l", "001111"), ("abc-12", "ABC12"), ("", ""), ("码", "码")]
)
def test_what_is_typed_is_read_as_it_is_meant(typed: str, meant: str) -> None:
    assert as_meant(typed) == meant


def test_symbols_are_drawn_evenly() -> None:
    drawn = "".join(as_meant(code_of(SECRET, f"take-{n}", 1)) for n in range(2_000))
    counts = [drawn.count(symbol) for symbol in ALPHABET]
    assert min(counts) > 0.8 * len(drawn) / 32
    assert max(counts) < 1.2 * len(drawn) / 32


def test_a_pseudonym_does_not_show_the_rider() -> None:
    assert "rider" not in pseudonym_of(SECRET, "rider-01", "2026-11").lower()
    assert len(pseudonym_of(SECRET, "rider-01", "2026-11")) == 8

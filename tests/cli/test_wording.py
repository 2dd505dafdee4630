"""Every fact says something in words, and nothing personal in its sentence."""

from __future__ import annotations

import pytest

from cli.wording import ERASED, SEALED, personal, sentence
from contracts.envelope import ERASED as GONE
from contracts.envelope import FACTS, Fact, Sealed
from tests.contracts.examples import EXAMPLES


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_a_fact_says_what_has_happened(fact: Fact) -> None:
    said = sentence(fact)
    assert said
    assert said != type(fact).__name__
    assert "\n" not in said


def test_no_fact_is_without_words() -> None:
    assert {type(fact).__name__ for fact in EXAMPLES} == set(FACTS)


@pytest.mark.parametrize(
    "fact", [fact for fact in EXAMPLES if fact.personal], ids=lambda fact: type(fact).__name__
)
def test_personal_words_stand_apart_and_say_when_they_cannot_be_read(fact: Fact) -> None:
    marked = fact.model_copy(update=dict.fromkeys(fact.personal, "秘密的话"))
    assert "秘密" not in sentence(marked)
    assert dict(personal(marked)) == dict.fromkeys(fact.personal, "秘密的话")
    boxes = dict.fromkeys(fact.personal, Sealed(key="rider-07", box="AAAA"))
    assert set(dict(personal(fact.model_copy(update=boxes))).values()) == {SEALED}
    gone = fact.model_copy(update=dict.fromkeys(fact.personal, GONE))
    assert set(dict(personal(gone)).values()) == {ERASED}

"""Putting a rulebook in force: as a whole, newer than the last, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from contracts.rulebook import (
    NONE_PUBLISHED,
    PublishRulebook,
    Rulebook,
    RulebookPublished,
    RulebookRefusal,
    gathered,
    in_force,
)
from services.router.decider.rulebook import RULEBOOK, digest_of
from tests.contracts.examples import EXAMPLES
from tests.district import BOOK, EAST, SANITATION, TRIAGE, document
from tests.given import NOON, Decision, Setting, a, recorded

given = Setting(RULEBOOK, None)

PROVISIONER = "provisioner"


def publish(**changes: Any) -> PublishRulebook:
    return PublishRulebook(document=document(**changes))


def published(version: int, effective_from: datetime = BOOK.effective_from) -> RulebookPublished:
    book = BOOK.model_copy(update={"version": version, "effective_from": effective_from})
    return RulebookPublished(name=book.name, version=version, digest=digest_of(book), document=book)


def complaints(decision: Decision) -> str:
    """All that is said against the document."""
    assert {reason.code for reason in decision.reasons} == {RulebookRefusal.NOT_VALID}
    return "; ".join(f"{reason.field}: {reason.detail}" for reason in decision.reasons)


def test_a_rulebook_that_holds_together_is_published_whole() -> None:
    digest = sha256(BOOK.model_dump_json().encode()).hexdigest()
    given().when(publish(), by=PROVISIONER).then(
        RulebookPublished(name="small", version=1, digest=digest, document=BOOK)
    )


def test_a_newer_rulebook_takes_over() -> None:
    given(published(1)).when(publish(version=2), by=PROVISIONER).then(
        a(RulebookPublished, version=2)
    )


def test_the_very_same_rulebook_again_is_nothing() -> None:
    given(published(1)).when(publish(), by=PROVISIONER).then_nothing()


def test_an_older_rulebook_is_refused() -> None:
    older = given(published(1), published(3)).when(publish(version=2), by=PROVISIONER)
    older.then_refused(RulebookRefusal.VERSION_NOT_NEWER)


def test_other_rules_under_the_same_version_are_refused() -> None:
    other = publish(dispatch={"limit_hours": 2})
    given(published(1)).when(other, by=PROVISIONER).then_refused(RulebookRefusal.VERSION_NOT_NEWER)


def test_the_digest_changes_with_every_rule() -> None:
    stricter = BOOK.model_copy(update={"dispatch": BOOK.dispatch.model_copy()})
    assert digest_of(stricter) == digest_of(BOOK)
    other = Rulebook.model_validate(document(dispatch={"limit_hours": 2}))
    assert digest_of(other) != digest_of(BOOK)


def test_every_wrong_field_is_named_at_once() -> None:
    wrong = publish(version=0, effective_from="yesterday", datum="Mars", colour="red")
    refusal = given().when(wrong, by=PROVISIONER)
    refusal.then_refused(*[RulebookRefusal.NOT_VALID] * 4)
    assert {reason.field for reason in refusal.reasons} == {
        "version",
        "effective_from",
        "datum",
        "colour",
    }


def test_a_missing_field_is_named() -> None:
    incomplete = {k: v for k, v in document().items() if k != "verification"}
    refusal = given().when(PublishRulebook(document=incomplete), by=PROVISIONER)
    assert complaints(refusal) == "verification: Field required"


def test_a_wrong_field_deep_inside_is_named_with_its_place() -> None:
    services = document()["services"]
    services[1]["points"] = 0
    refusal = given().when(publish(services=services), by=PROVISIONER)
    assert complaints(refusal).startswith("services.1.points: ")


OPEN_RING = [[121.0, 29.0], [121.01, 29.0], [121.01, 29.01], [121.0, 29.01]]
Spoil = Callable[[dict[str, Any]], Any]

CONTRADICTIONS: dict[str, Spoil] = {
    "time_zone: 'Mars/Olympus'": lambda d: d.update(time_zone="Mars/Olympus"),
    "units: code 'fire'": lambda d: d["units"].append(d["units"][1]),
    "units: code 'triage'": lambda d: d["platforms"][0].update(code=TRIAGE),
    "units: exactly one": lambda d: d["units"].append({**d["units"][4], "code": "triage-2"}),
    "areas: code 'a-west'": lambda d: d["areas"].append(d["areas"][0]),
    "areas[b-east].street: 'sanitation'": lambda d: d["areas"][1].update(street=SANITATION),
    "areas[a-west].polygon: the ring": lambda d: d["areas"][0].update(polygon=OPEN_RING),
    "services: code 'bulky'": lambda d: d["services"].append(d["services"][1]),
    "services[garbage].department: 'street-east'": lambda d: d["services"][0].update(
        department=EAST
    ),
    "services[bulky].department: 'nobody'": lambda d: d["services"][1].update(department="nobody"),
    "verification.by: 'triage'": lambda d: d["verification"].update(by=TRIAGE),
}
"""How a reason begins, and how a document is spoilt so that it is given."""


@pytest.mark.parametrize(("said", "spoil"), CONTRADICTIONS.items(), ids=list(CONTRADICTIONS))
def test_a_document_that_contradicts_itself_is_refused(said: str, spoil: Spoil) -> None:
    spoilt = document()
    spoil(spoilt)
    refusal = given().when(PublishRulebook(document=spoilt), by=PROVISIONER)
    refusal.then_refused(RulebookRefusal.NOT_VALID)
    assert refusal.reasons[0].detail.startswith(said)


def test_every_contradiction_is_listed_at_once() -> None:
    spoilt = document()
    for spoil in CONTRADICTIONS.values():
        spoil(spoilt)
    refusal = given().when(PublishRulebook(document=spoilt), by=PROVISIONER)
    said = [reason.detail for reason in refusal.reasons]
    assert [c for c in CONTRADICTIONS if not any(detail.startswith(c) for detail in said)] == []


def test_what_was_in_force_once_can_always_be_read() -> None:
    spoilt = document()
    for spoil in CONTRADICTIONS.values():
        spoil(spoilt)
    assert Rulebook.model_validate_json(json.dumps(spoilt)).name == "small"


def test_a_rulebook_needs_a_triage_desk() -> None:
    units = [unit for unit in document()["units"] if unit["code"] != TRIAGE]
    refusal = given().when(publish(units=units), by=PROVISIONER)
    assert "exactly one unit must be of kind 'triage'" in complaints(refusal)


def test_the_rulebook_in_force_is_the_one_published_last_of_those_in_effect() -> None:
    day = timedelta(days=1)
    facts = [published(1), published(2, NOON + day), published(3, NOON)]
    books = NONE_PUBLISHED
    for fact in facts:
        books = gathered(books, recorded(fact))
    versions = {
        at: book.version if (book := in_force(books, at)) else None
        for at in (datetime(1999, 1, 1, tzinfo=UTC), NOON - day, NOON, NOON + day)
    }
    assert list(versions.values()) == [None, 1, 3, 3]


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_only_publishing_changes_which_rulebooks_there_are(fact: Any) -> None:
    changed = gathered((BOOK,), recorded(fact)) != (BOOK,)
    assert changed is isinstance(fact, RulebookPublished)


def test_before_anything_is_published_nothing_is_in_force() -> None:
    assert in_force(NONE_PUBLISHED, NOON) is None

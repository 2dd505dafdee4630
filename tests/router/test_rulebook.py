"""Putting rule documents in force: all together, each newer than the last, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from contracts.rulebook import (
    NONE_PUBLISHED,
    DocumentKind,
    Published,
    PublishRulebook,
    Rulebook,
    RulebookPublished,
    RulebookRefusal,
    gathered,
    in_force,
)
from services.router.decider.rulebook import RULEBOOK, digest_of
from tests.contracts.examples import EXAMPLES
from tests.district import BOOK, FIRE, INSPECTION, SANITATION, TRIAGE, WEST, document
from tests.given import NOON, Decision, Setting, a, recorded

given = Setting(RULEBOOK, None)
DAY = timedelta(days=1)

PROVISIONER = "provisioner"


def published(
    kind: str, version: int = 1, since: datetime | None = None, **changes: Any
) -> RulebookPublished:
    given_at = {"effective_from": since.isoformat()} if since else {}
    parts = document(**{kind: {"version": version, **given_at, **changes}})
    whole = getattr(Rulebook.model_validate(parts), kind)
    return RulebookPublished(
        name="small",
        kind=DocumentKind(kind),
        version=version,
        digest=digest_of(whole),
        document=whole,
    )


FIRST = tuple(published(kind) for kind in sorted(DocumentKind))
"""All five documents, once."""


def publish(*kinds: str, **changes: dict[str, Any]) -> PublishRulebook:
    """These kinds, or all five, with these changes."""
    parts = document(**changes)
    return PublishRulebook(document={kind: parts[kind] for kind in kinds or parts})


def complaints(decision: Decision) -> str:
    """All that is said against the documents."""
    assert {reason.code for reason in decision.reasons} == {RulebookRefusal.NOT_VALID}
    return "\n".join(f"{reason.field}: {reason.detail}" for reason in decision.reasons)


def test_five_documents_that_hold_together_are_published_each_as_a_fact() -> None:
    given().when(publish(), by=PROVISIONER).then(*FIRST)
    digest = sha256(BOOK.calendar.model_dump_json().encode()).hexdigest()
    assert FIRST[0].digest == digest


def test_the_first_documents_of_a_rulebook_come_together() -> None:
    refusal = given().when(publish("catalogue", "places", "routing"), by=PROVISIONER)
    refusal.then_refused(RulebookRefusal.NOT_COMPLETE)
    assert "calendar, earning" in refusal.reasons[0].detail


def test_one_document_changes_and_the_others_stay() -> None:
    given(*FIRST).when(publish("calendar", calendar={"version": 2}), by=PROVISIONER).then(
        a(RulebookPublished, kind=DocumentKind.CALENDAR, version=2)
    )


def test_documents_that_are_in_force_already_are_nothing() -> None:
    given(*FIRST).when(publish(), by=PROVISIONER).then_nothing()


def test_only_what_is_new_among_several_is_published() -> None:
    newer = publish("calendar", "earning", earning={"version": 4})
    given(*FIRST).when(newer, by=PROVISIONER).then(
        a(RulebookPublished, kind=DocumentKind.EARNING, version=4)
    )


def test_an_older_document_is_refused() -> None:
    older = publish("earning", earning={"version": 2})
    given(*FIRST, published("earning", 3)).when(older, by=PROVISIONER).then_refused(
        RulebookRefusal.VERSION_NOT_NEWER
    )


def test_other_rules_under_the_same_version_are_refused() -> None:
    other = publish("routing", routing={"handling": {"dispatch_limit": "2 urgent_hours"}})
    given(*FIRST).when(other, by=PROVISIONER).then_refused(RulebookRefusal.VERSION_NOT_NEWER)


def test_one_bad_document_keeps_all_of_them_out() -> None:
    mixed = publish(
        "calendar",
        "earning",
        calendar={"version": 2},
        earning={"version": 2, "rules": [{"code": "x"}]},
    )
    refusal = given(*FIRST).when(mixed, by=PROVISIONER)
    assert "earning.rules[x].points: Field required; add it" in complaints(refusal)
    assert refusal.facts == ()


def test_documents_of_two_rulebooks_are_refused() -> None:
    mixed = publish(calendar={"rulebook": "other"})
    assert "documents of several rulebooks: other, small" in complaints(
        given().when(mixed, by=PROVISIONER)
    )


def test_an_empty_command_is_refused() -> None:
    nothing = PublishRulebook(document={})
    assert "there is no document in it" in complaints(given().when(nothing, by=PROVISIONER))


def test_every_wrong_field_of_every_document_is_named_at_once() -> None:
    wrong = publish(
        catalogue={"version": 0, "colour": "red"},
        places={"datum": "Mars"},
        calendar={"effective_from": "yesterday"},
    )
    refusal = given().when(wrong, by=PROVISIONER)
    refusal.then_refused(*[RulebookRefusal.NOT_VALID] * 4)
    assert {reason.field for reason in refusal.reasons} == {
        "catalogue.version",
        "catalogue.colour",
        "places.datum",
        "calendar.effective_from",
    }


def test_a_document_of_an_unknown_kind_is_named_with_what_there_is() -> None:
    strange = PublishRulebook(document={**document(), "catalog": {}})
    said = complaints(given().when(strange, by=PROVISIONER))
    assert "there is no document of kind 'catalog'; did you mean 'catalogue'?" in said


def test_a_wrong_field_deep_inside_is_named_by_the_codes_that_people_know() -> None:
    services = document()["catalogue"]["services"]
    services[1]["conditions"][0]["limit"] = "soon"
    refusal = given().when(publish(catalogue={"services": services}), by=PROVISIONER)
    assert complaints(refusal).startswith(
        "catalogue.services[bulky].conditions[bulky-plain].limit: a limit is a number"
    )


Parts = dict[str, dict[str, Any]]
Spoil = Callable[[Parts], Any]


def services(d: Parts) -> Any:
    return d["catalogue"]["services"]


def routing(d: Parts) -> Any:
    return d["routing"]


def rings(d: Parts) -> Any:
    return [f["geometry"]["coordinates"] for f in d["places"]["features"]]


CONTRADICTIONS: Mapping[str, Spoil] = {
    "routing.units: code 'fire' is used twice": lambda d: routing(d)["units"].append(
        routing(d)["units"][1]
    ),
    "routing.units: code 'triage' is used twice": lambda d: routing(d)["platforms"][0].update(
        code=TRIAGE
    ),
    "places.features: code 'a-west' is used twice": lambda d: d["places"]["features"].append(
        d["places"]["features"][0]
    ),
    "catalogue.services: code 'bulky' is used twice": lambda d: services(d).append(services(d)[1]),
    "catalogue.services[].conditions: code 'bulky-plain' is used twice": lambda d: services(d)[1][
        "conditions"
    ].append(services(d)[1]["conditions"][0]),
    "there are 2 units of kind 'triage'": lambda d: routing(d)["units"].append(
        {**routing(d)["units"][4], "code": "triage-2"}
    ),
    "services[garbage].accountable: 'sanitaton' is not known; did you mean 'sanitation'?": (
        lambda d: services(d)[0].update(accountable="sanitaton")
    ),
    "catalogue.services[bulky].accountable: 'triage' is not known": lambda d: services(d)[1].update(
        accountable=TRIAGE
    ),
    "catalogue.services[bulky].supporting: 'nobody' is not known": lambda d: services(d)[1].update(
        supporting=["nobody"]
    ),
    "catalogue.services[cover].big_class: '09' is not known": lambda d: services(d)[3].update(
        big_class="09"
    ),
    "catalogue.services[cover].default_condition: 'x' is not known": lambda d: services(d)[
        3
    ].update(default_condition="x"),
    "conditions[stall-plain].verified_by: 'nobody' is not known": lambda d: services(d)[4][
        "conditions"
    ][0].update(verified_by="nobody"),
    "conditions[stall-worse].questions[how]: nothing to choose from": lambda d: services(d)[4][
        "conditions"
    ][1].update(questions=[{"code": "how", "datatype": "singlevaluelist", "description": "how"}]),
    "places.features[b-east].geometry: a ring is not closed": lambda d: rings(d)[1][0].pop(),
    "places.features[c-north].parent: 'x' is not known": lambda d: d["places"]["features"][2][
        "properties"
    ].update(parent="x"),
    "routing.roles[street].holders[0].unit: 'sanitation' is no street office": lambda d: routing(d)[
        "roles"
    ][0]["holders"][0].update(unit=SANITATION),
    "routing.roles[enforcement].holders[0].area: 'a-wes' is not known; did you mean 'a-west'?": (
        lambda d: routing(d)["roles"][1]["holders"][0].update(area="a-wes")
    ),
    "routing.roles[enforcement].holders: two units hold it": lambda d: routing(d)["roles"][1][
        "holders"
    ].append({"area": "a-wes", "unit": WEST}),
    "routing.roles[asset-owner].otherwise: leads back to itself": lambda d: routing(d)["roles"][
        2
    ].update(otherwise="asset-owner"),
    "routing.verification.by: 'triage' is not known": lambda d: routing(d)["verification"].update(
        by=TRIAGE
    ),
    "routing.modes[0].first_holder: 'triage' takes no order first": lambda d: routing(d)["modes"][
        0
    ].update(first_holder="triage"),
    "routing.escalation: levels must rise": lambda d: routing(d)["escalation"].append(
        {"level": 1, "returns": 9}
    ),
    "routing.escalation[1].told: 'nobody' is not known": lambda d: routing(d)["escalation"][
        0
    ].update(told=["nobody"]),
    "calendar.time_zone: 'Asia/Nowhere' is not in the IANA database": lambda d: d[
        "calendar"
    ].update(time_zone="Asia/Nowhere"),
    "calendar.mon: spans overlap": lambda d: d["calendar"].update(
        week={**d["calendar"]["week"], "mon": ["08:00-12:00", "11:00-18:00"]}
    ),
    "calendar.years[2026].make_up[2026-10-01]: is a holiday too": lambda d: d["calendar"].update(
        years=[
            {
                "year": 2026,
                "holidays": [{"name": "x", "first": "2026-10-01", "last": "2026-10-07"}],
                "make_up": ["2026-10-01"],
            }
        ]
    ),
    "earning.rules[night].services: 'lamps' is not known": lambda d: d["earning"].update(
        rules=[{"code": "night", "name": "x", "points": 3, "services": ["lamps"]}]
    ),
}
"""What is said, and how the documents are spoilt so that it is."""


@pytest.mark.parametrize(("said", "spoil"), CONTRADICTIONS.items(), ids=list(CONTRADICTIONS))
def test_a_reference_that_leads_nowhere_is_refused(said: str, spoil: Spoil) -> None:
    spoilt = document()
    if "two units hold it" in said:
        spoilt["routing"]["roles"][1]["holders"][0]["area"] = "a-wes"
    spoil(spoilt)
    assert said in complaints(given().when(PublishRulebook(document=spoilt), by=PROVISIONER))


def test_every_contradiction_is_listed_at_once() -> None:
    spoilt = document()
    for spoil in CONTRADICTIONS.values():
        spoil(spoilt)
    told = complaints(given().when(PublishRulebook(document=spoilt), by=PROVISIONER))
    assert [said for said in CONTRADICTIONS if said not in told] == []


def test_a_ring_that_crosses_itself_is_refused() -> None:
    spoilt = document()
    rings(spoilt)[0][0] = [[121, 29], [121.01, 29.01], [121.01, 29], [121, 29.01], [121, 29]]
    told = complaints(given().when(PublishRulebook(document=spoilt), by=PROVISIONER))
    assert "places.features[a-west].geometry: not a shape: Self-intersection" in told


def test_a_document_is_checked_with_those_that_hold_when_it_begins_to() -> None:
    units = [u for u in document()["routing"]["units"] if u["code"] != FIRE]
    roles = document()["routing"]["roles"][:1]
    catalogue = document()["catalogue"]["services"][:1]
    without_fire = {"version": 2, "units": units, "roles": roles}
    small = published("catalogue", 2, NOON, services=catalogue)

    too_soon = publish(
        "routing", routing={**without_fire, "effective_from": (NOON - DAY).isoformat()}
    )
    in_time = publish("routing", routing={**without_fire, "effective_from": NOON.isoformat()})

    told = complaints(given(*FIRST, small).when(too_soon, by=PROVISIONER))
    assert "catalogue.services[bare-wires].accountable: 'fire' is not known" in told
    given(*FIRST, small).when(in_time, by=PROVISIONER).then(a(RulebookPublished, version=2))


def folded(*facts: RulebookPublished) -> Published:
    books = NONE_PUBLISHED
    for fact in facts:
        books = gathered(books, recorded(fact))
    return books


def test_of_each_kind_the_document_in_effect_that_was_published_last_holds() -> None:
    books = folded(
        *FIRST, published("earning", 2, NOON + DAY), published("calendar", 2, NOON), FIRST[0]
    )
    labels = {
        at: book.label if (book := in_force(books, at)) else None
        for at in (datetime(1999, 1, 1, tzinfo=UTC), NOON - DAY, NOON, NOON + DAY)
    }
    assert list(labels.values()) == [
        None,
        "small@1.1.1.1.1",
        "small@1.1.1.1.1",
        "small@1.1.1.1.2",
    ]


def test_the_same_documents_make_the_same_rulebook_object_again() -> None:
    books = folded(*FIRST)
    assert in_force(books, NOON) is in_force(books, NOON + DAY)


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: type(fact).__name__)
def test_only_publishing_changes_which_documents_there_are(fact: Any) -> None:
    before = folded(*FIRST)
    assert (gathered(before, recorded(fact)) != before) is isinstance(fact, RulebookPublished)


def test_before_anything_is_published_nothing_is_in_force() -> None:
    assert in_force(NONE_PUBLISHED, NOON) is None


def test_until_all_five_kinds_are_published_nothing_is_in_force() -> None:
    assert in_force(folded(*FIRST[:4]), NOON) is None


def test_the_inspection_may_be_named_as_a_verifier_of_a_condition() -> None:
    services_given = document()["catalogue"]["services"]
    services_given[0]["conditions"][0]["verified_by"] = INSPECTION
    given().when(publish(catalogue={"services": services_given}), by=PROVISIONER).then(
        *[RulebookPublished] * 5
    )

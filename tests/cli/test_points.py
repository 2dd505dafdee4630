"""What officers do to points and roles from the command line, on a house that runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cli.ids import new_id
from cli.session import open_session
from contracts.envelope import Outcome
from contracts.party import PartyKind, RegisterParty
from eventlog.asking import ask
from tests.cli.test_verbs import submitted, until
from tests.cli.waggle import Waggle

KITE, SWIFT, FIRST, SECOND = "platform-kite", "platform-swift", "officer", "second-officer"


@pytest.fixture
def rider(waggle: Waggle) -> str:
    """A rider of Kite, new for one test, without a point."""
    made = f"rider-{new_id()}"

    async def register() -> None:
        command = RegisterParty(party_id=made, kind=PartyKind.RIDER, platform=KITE)
        async with open_session(waggle.house, quiet=True) as session:
            answer, _ = await ask(await session.nats(KITE), KITE, command, new_id())
            assert answer.outcome is Outcome.ACCEPTED, answer

    asyncio.run(register())
    return made


def booked(waggle: Waggle, rider: str, entries: int) -> dict[str, Any]:
    """The passbook as soon as it has so many entries."""

    def shown() -> dict[str, Any] | None:
        said = waggle("passbook", rider, "--json")
        book: dict[str, Any] | None = said.document if said.code == 0 else None
        return book if book and book["version"] == entries else None

    return until(shown)


def refused(waggle: Waggle, *words: str) -> list[str]:
    """Why: the codes of a refusal."""
    said = waggle(*words, "--json")
    assert said.code == 1, said
    return [reason["code"] for reason in said.document["reasons"]]


def test_an_award_is_in_the_passbook_once_for_its_occasion(waggle: Waggle, rider: str) -> None:
    words = ("points", "grant", rider, "rider-of-the-month", "--occasion", "2026-11")
    waggle.json(*words)
    waggle.json(*words, "--as", SECOND)
    book = booked(waggle, rider, 1)
    assert (book["pending"], book["lines"][0]["rule"]) == (50, "honour:rider-of-the-month")
    assert refused(waggle, *words, "--as", KITE) == ["not_an_officer"]
    unknown = ("points", "grant", rider, "exam-escort", "--occasion", "2026-11")
    assert refused(waggle, *unknown) == ["no_earning_rule"]


def test_an_act_earns_so_often_in_the_month_in_which_it_was_done(
    waggle: Waggle, rider: str
) -> None:
    def escort(number: int, day: str) -> tuple[str, ...]:
        act = ("points", "act", rider, "exam-escort", "--occasion", f"exam-{number}")
        return (*act, "--done-at", day)

    for number in range(4):
        waggle.json(*escort(number, "2026-06-30T23:30"))
    assert refused(waggle, *escort(4, "2026-06-30T23:30")) == ["limit_reached"]
    waggle.json(*escort(4, "2026-07-01"))
    assert booked(waggle, rider, 5)["pending"] == 50


def test_points_by_hand_need_two_officers(waggle: Waggle, rider: str) -> None:
    why = ("--reason", "goodwill", "--note", "系统故障补偿")
    assert "nothing was taken back" in waggle("points", "decisions", rider).out
    made = waggle.json("points", "adjust", rider, "--points", "5", *why)["adjustment_id"]
    assert refused(waggle, "points", "approve", rider, made, "--as", FIRST) == ["same_officer"]
    (waiting,) = waggle.json("points", "decisions", rider)["adjustments"]
    assert (waiting["adjustment"], waiting["by"], waiting["stands"]) == (made, FIRST, "proposed")
    waggle.json("points", "approve", rider, made, "--as", SECOND)
    again = ("points", "decline", rider, made, "--as", SECOND)
    assert refused(waggle, *again) == ["decided_already"]
    taken = waggle.json("points", "adjust", rider, "--points", "-9", *why)["adjustment_id"]
    assert refused(waggle, "points", "approve", rider, taken, "--as", SECOND) == ["not_enough"]
    waggle.json("points", "decline", rider, taken, "--as", SECOND)
    found = waggle.json("points", "decisions", rider)["adjustments"]
    decided = [(one["points"], one["stands"], one["decided_by"]) for one in found]
    assert decided == [(5, "approved", SECOND), (-9, "declined", SECOND)]
    assert f"{made}  approved by {SECOND}" in waggle("points", "decisions", rider).out
    book = booked(waggle, rider, 1)
    assert (book["available"], book["adjusted"]) == (5, 5)


def test_an_award_is_taken_back_contested_and_given_back(waggle: Waggle, rider: str) -> None:
    waggle.json("points", "grant", rider, "rider-of-the-month", "--occasion", "2026-11")
    (lot,) = booked(waggle, rider, 1)["activating"]
    waggle.json("points", "reverse", rider, "--lot", lot["lot"], "--reason", "fraud")
    book = booked(waggle, rider, 2)
    assert (book["pending"], book["debt"], book["reversed"]) == (0, 0, 50)
    (taken,) = waggle.json("points", "decisions", rider)["reversals"]
    assert (taken["points"], taken["by"], taken["stands"]) == (50, FIRST, "not contested")
    said = waggle("points", "decisions", rider).out
    assert f"{taken['reversal']}  not contested" in said
    assert "officer took 50 points back (fraud)" in said

    contested = ("points", "appeal", rider, taken["reversal"], "--note", "照片可查")
    assert refused(waggle, *contested, "--as", SWIFT) == ["not_your_rider"]
    assert waggle.json(*contested)["as"] == KITE
    answer = ("points", "decide", rider, taken["reversal"], "--grant", "--note", "属实", "--as")
    assert refused(waggle, *answer, FIRST) == ["same_officer"]
    waggle.json(*answer, SECOND)
    assert booked(waggle, rider, 3)["available"] == 50
    assert refused(waggle, *answer, SECOND) == ["decided_already"]
    (decided,) = waggle.json("points", "decisions", rider)["reversals"]
    assert (decided["stands"], decided["decided_by"]) == ("given back", SECOND)


def test_what_a_role_earns_goes_by_its_term(waggle: Waggle, rider: str) -> None:
    given = ("role", "give", rider, "grid_member", "--first", "2026-01-01")
    assert refused(waggle, *given, "--as", KITE) == ["not_allowed"]
    assert refused(waggle, *given, "--last", "2025-01-01") == ["no_such_term"]
    waggle.json(*given, "--last", "2099-01-01", "--as", "street-taoyuan")
    shares = waggle.json("examine", submitted(waggle, rider))["shares"]
    assert [(share["points"], share["percent"]) for share in shares] == [(5, 100), (1, 20)]
    waggle.json("role", "end", rider, "grid_member", "--at", "2026-01-02")
    assert len(waggle.json("examine", submitted(waggle, rider))["shares"]) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("points", "reverse", "rider-01", "--reason", "fraud"),
        ("points", "reverse", "rider-01", "--reason", "envy", "--lot", "any"),
        ("points", "adjust", "rider-01", "--points", "1.5", "--reason", "goodwill", "--note", "x"),
        ("points", "approve", "rider-01", "any"),
        ("points", "act", "rider-01", "lend-a-hand", "--occasion", "a b"),
        ("points", "decisions", "a>b"),
        ("role", "give", "rider-01", "king", "--first", "2026-01-01"),
        ("role", "end", "rider-01", "volunteer", "--at", "soon"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(waggle: Waggle, words: tuple[str, ...]) -> None:
    assert waggle(*words).code == 2

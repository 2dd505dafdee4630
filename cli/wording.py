"""What a fact says, in one plain sentence. Pure.

Personal words stand apart from the sentence: `personal` lists them, readable or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cli.case_words import ENDED, told
from cli.point_words import told_of_points
from cli.store.words import STORE
from contracts.case import CaseClosed, CaseOpened, CaseRejected
from contracts.envelope import Erased, Fact, Reason, Recorded, Sealed
from contracts.notice import NoticeDelivered, NoticeParked
from contracts.party import PartyRegistered, RiderErased, RoleEnded, RoleGiven
from contracts.report import Position, ReportAccepted, ReportRefused
from contracts.rulebook import RulebookPublished

SEALED: Final = "(sealed: no key at hand)"
ERASED: Final = "(erased: the key is destroyed)"


@dataclass(frozen=True, slots=True)
class Told:
    """A fact of the story, with its personal words as far as they can be read."""

    fact: Recorded
    body: Fact
    cause: str | None
    """The sequence of the fact that caused it, or that fact's id where it is not in the story."""


def sentence(fact: Fact) -> str:
    """What has happened."""
    match fact:
        case ReportAccepted() | ReportRefused() | PartyRegistered():
            return _taken_in(fact)
        case RiderErased(party_id=party, by=by):
            return f"{by} has {party} forgotten"
        case RoleGiven(party_id=party, role=role, first=first, by=by):
            return f"{by} makes {party} a {role} from {first.isoformat()}"
        case RoleEnded(party_id=party, role=role, at=at, by=by):
            return f"{by} ends that {party} is a {role}, at {at.isoformat()}"
        case _ if fact.stream in {"account", "cap"}:
            return told_of_points(fact)
        case NoticeDelivered(receiver=receiver, kind=kind, channel=channel):
            return f"{receiver} is told by {channel}: {kind}"
        case NoticeParked(receiver=receiver, kind=kind, channel=channel, reason=reason):
            return f"{receiver} could not be told by {channel}: {kind} ({reason})"
        case RulebookPublished(name=name, kind=kind, version=version, document=document):
            since = document.effective_from.isoformat()
            return f"{kind} {version} of {name} holds from {since}"
        case _:
            return _of_case(fact)


def _taken_in(fact: ReportAccepted | ReportRefused | PartyRegistered) -> str:
    match fact:
        case ReportAccepted(rider_id=rider, platform=platform):
            return f"{rider} of {platform} reports {_what(fact.service_code, fact.position)}"
        case ReportRefused(rider_id=rider, reasons=reasons):
            return f"the report of {rider} is refused: {_because(reasons)}"
        case PartyRegistered(party_id=party, kind=kind, language=language):
            return f"{party} is known as a {kind}, told in '{language}'"


def _of_case(fact: Fact) -> str:
    match fact:
        case CaseOpened(area=area):
            where = f"in area {area}" if area else "in no known area"
            return f"a case is opened {where} by {fact.rulebook}"
        case CaseRejected(reasons=reasons):
            return f"no case is opened: {_because(reasons)}"
        case CaseClosed(outcome=outcome):
            return ENDED[outcome]
        case _ if template := STORE.get(type(fact)):
            return template.format(f=fact)
        case _:
            return told(fact)


def personal(fact: Fact) -> Iterator[tuple[str, str]]:
    """Each personal field that has a value, and its words, or why they cannot be read."""
    for name in fact.personal:
        match getattr(fact, name):
            case None:
                continue
            case Sealed():
                yield name, SEALED
            case Erased():
                yield name, ERASED
            case value:
                yield name, str(value)


def _what(service: str | None, position: Position | None) -> str:
    kind = service or "something of no named kind"
    return (
        f"{kind} at {position.lat:.5f}, {position.lng:.5f}" if position else f"{kind}, no position"
    )


def _because(reasons: Iterable[Reason]) -> str:
    return "; ".join(f"{r.code} ({r.detail})" if r.detail else r.code for r in reasons)

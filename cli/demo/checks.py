"""Compares what the house says with what the story says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cli.demo.expected import Ending
from cli.demo.scenes import Played
from contracts.case import AcceptWork
from contracts.envelope import Words

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold."""

    name: str
    words: Words
    count: int
    """How many were looked at."""
    wrong: tuple[str, ...]
    """Everything that is not as it must be."""

    @classmethod
    def of(cls, name: str, zh: str, en: str, count: int, wrong: Iterable[str]) -> Check:
        """A check with its name in both languages."""
        return cls(name, Words(zh=zh, en=en), count, tuple(wrong))

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return not self.wrong

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "name": self.name,
            "holds": self.holds,
            "count": self.count,
            "wrong": list(self.wrong),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to compare besides the tables."""

    played: Sequence[Played]
    facts: int
    """In the log."""
    unread: Sequence[str]
    """Why something in the log cannot be read."""
    doubled: Sequence[str]
    """What stands in the log more than once and may not."""
    stored: int
    """Notices in the outbox."""
    posted: int
    """Different notices whose signature the webhook's receiver has verified."""
    unsigned: int
    """Posts that it has sent away."""


def checks(told: Ending, found: Ending, evidence: Evidence) -> tuple[Check, ...]:
    """Everything that must hold at the end of the day."""
    return (
        *_of_acts(evidence.played),
        *_of_tables(told, found),
        Check.of(
            "once",
            "受理、立案、结案、积分、通知都没有重复",
            "nothing is doubled in the log",
            evidence.facts,
            (*evidence.unread, *evidence.doubled),
        ),
        _of_channels(told, evidence),
    )


def _of_acts(played: Sequence[Played]) -> Iterator[Check]:
    yield Check.of(
        "acts",
        "每个动作都由本单位发出并被接受",
        "every act sent as its own party",
        len(played),
        (f"{p.scene.command_id}: {p.trouble}" for p in played if p.trouble),
    )
    twice = [p for p in played if p.scene.twice]
    yield Check.of(
        "repeated",
        "重复发送的上报得到同一答复",
        "a report sent twice got the same answer",
        len(twice),
        (f"{p.scene.command_id}: {p.repeated}" for p in twice if p.repeated != p.answer),
    )
    taken = [p for p in played if p.scene.step and isinstance(p.scene.step.command, AcceptWork)]
    yield Check.of(
        "words",
        "承办单位读到的就是骑手写的原文",
        "units read the rider's very words",
        len(taken),
        (
            f"{p.scene.command_id}: {p.file.text if p.file else 'not readable'}"
            for p in taken
            if p.file is None or p.file.text != p.scene.report.submit.text
        ),
    )


def _of_tables(told: Ending, found: Ending) -> Iterator[Check]:
    yield Check.of(
        "reports",
        "每件上报的受理结果",
        "every report is decided as told",
        len(told.reports),
        _differences(told.reports, found.reports),
    )
    yield Check.of(
        "cases",
        "每个案件的环节、承办单位、退回、返工",
        "every case ends as told",
        len(told.cases),
        _differences(told.cases, found.cases),
    )
    yield Check.of(
        "points",
        "每位骑手的积分（按故事另算一遍）",
        "points of each rider, worked out anew",
        sum(told.points.values()),
        _differences(told.points, found.points),
    )
    yield Check.of(
        "orders",
        "没办的工单还在各单位的队列里",
        "orders not acted on still wait",
        sum(told.orders.values()),
        _differences(told.orders, found.orders),
    )
    yield Check.of(
        "notices",
        "该通知的都通知到了，不多不少",
        "everybody was told, and once",
        sum(told.notices.values()),
        _differences(told.notices, found.notices),
    )


def _of_channels(told: Ending, evidence: Evidence) -> Check:
    there = {
        "outbox": evidence.stored,
        "webhook": evidence.posted,
        "unsigned": evidence.unsigned,
    }
    return Check.of(
        "channels",
        "发件箱存着、平台接口验过签的通知",
        "outbox and signed webhook hold them",
        evidence.stored + evidence.posted,
        _differences({"outbox": 0, "webhook": 0, "unsigned": 0, **told.by_channel()}, there),
    )


def _differences(told: Mapping[K, object], found: Mapping[K, object]) -> Iterator[str]:
    """What is missing, what is too much, what differs."""
    for key in sorted({*told, *found}, key=str):
        expected, there = told.get(key), found.get(key)
        if expected != there:
            what = " ".join(key) if isinstance(key, tuple) else key
            yield f"{what}: expected {_shown(expected)}, found {_shown(there)}"


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)

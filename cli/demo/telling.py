"""The day in words: which scenes are told, and what a line about each says. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from cli.demo.names import RETURNED, Names
from cli.demo.scenes import Played
from cli.story.holders import first_holder, mode
from cli.story.story import Fate, Story, StoryReport
from contracts.case import (
    AcceptWork,
    DispatchCase,
    ResolveWork,
    ReturnWork,
    UnitKind,
    VerifyWork,
)
from contracts.envelope import Outcome, Words
from contracts.rulebook import Rulebook

T = TypeVar("T")

COUNTED: Final = ("上报", "不受理", "退回", "返工", "结案", "积分")
"""What an hour is counted by, in this order."""

TOLD: Final[Mapping[Fate, int]] = {
    Fate.REFUSED: 4,
    Fate.RETURNED_AND_REWORKED: 1,
    Fate.RETURNED: 2,
    Fate.REWORKED: 2,
    Fate.LEFT_OPEN: 1,
}
"""How many reports of each fate are told from beginning to end, at most."""
TOLD_OF_A_WAY: Final = 1
"""How many of those that went well, for each way in which a case finds its first holder."""

Way = tuple[UnitKind, bool]
"""Of the first holder, and whether the street is one that takes orders first."""


@dataclass(frozen=True, slots=True)
class Said:
    """An event in words."""

    verb: str
    style: str
    zh: str
    en: str
    """The gloss."""
    quote: str = ""
    """What somebody wrote, as it was written."""
    after: str = ""
    """What came of it."""


@dataclass(frozen=True, slots=True)
class Line:
    """An event for a reader."""

    at: datetime
    report_id: str
    said: Said


@dataclass(slots=True)
class SoFar:
    """The count of the day at a moment of the story's clock."""

    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(COUNTED, 0)))

    def take(self, played: Played) -> None:
        """One more scene."""
        match played.scene.step and played.scene.step.command:
            case None:
                self.counts["上报"] += 1
                self.counts["不受理"] += is_refused(played)
            case ReturnWork():
                self.counts["退回"] += 1
            case VerifyWork(passed=False):
                self.counts["返工"] += 1
            case VerifyWork():
                self.counts["结案"] += 1
                self.counts["积分"] += played.award.points if played.award else 0
            case _:
                pass

    def __str__(self) -> str:
        if not self.counts.total():
            return ""
        return " · ".join(f"{what} {n}" for what, n in self.counts.items())


def chosen(story: Story, book: Rulebook) -> frozenset[str]:
    """The reports that are told: each fate, each way in; not two thousand lines of the same."""
    groups: dict[Fate | Way, list[str]] = {}
    for report in story.reports:
        plain = report.fate is Fate.CLOSED
        group = _way(report, book) if plain else report.fate
        groups.setdefault(group, []).append(report.report_id)
    spread = (
        _spread(ids, TOLD[group] if isinstance(group, Fate) else TOLD_OF_A_WAY)
        for group, ids in groups.items()
    )
    return frozenset(report_id for ids in spread for report_id in ids)


def _way(report: StoryReport, book: Rulebook) -> Way:
    """Who holds the case first, and whether the area has streets that take orders first."""
    holder = first_holder(book, report.submit.service_code, report.area)
    kind = next(unit.kind for unit in book.units if unit.code == holder)
    first = mode(book, report.area) if report.area else None
    return kind, kind is UnitKind.DEPARTMENT and first is UnitKind.STREET


def _spread(items: Sequence[T], most: int) -> Iterator[T]:
    """So many of them, evenly over the day."""
    count = min(most, len(items))
    for place in range(count):
        yield items[(2 * place + 1) * len(items) // (2 * count)]


def is_refused(played: Played) -> bool:
    """Whether intake said no."""
    return played.answer is not None and played.answer.outcome is Outcome.REFUSED


class Teller:
    """Finds the words for what has happened."""

    def __init__(self, story: Story, book: Rulebook, *, everything: bool = False) -> None:
        self._names = Names(book)
        self._everything = everything
        self._chosen = chosen(story, book)

    def line(self, played: Played) -> Line | None:
        """What is told of a scene; None where nothing is. Trouble is always told."""
        scene = played.scene
        report_id = scene.report.report_id
        if not (self._everything or played.trouble or report_id in self._chosen):
            return None
        said = self._said(played)
        return None if said is None else Line(scene.at, report_id, said)

    def _said(self, played: Played) -> Said | None:
        step = played.scene.step
        if played.trouble:
            return Said("出错", "bold red", played.scene.command_id, "trouble", played.trouble)
        if step is None:
            return self._reported(played)
        by, order = self._names.unit(step.by), played.order
        match step.command:
            case AcceptWork() if order and (self._everything or played.scene.number == 1):
                return Said("接单", "", order.explanation.zh, order.explanation.en)
            case DispatchCase() as command:
                return self._dispatched(by, command)
            case ReturnWork(reason=reason, note=note):
                why = RETURNED[reason]
                zh, en = f"{by.zh}（{why.zh}）", f"{by.en} gives it back: {why.en}"
                return Said("退回", "magenta", zh, en, note or "")
            case ResolveWork(result=result):
                again = order is not None and order.kind == "rework"
                en = f"{by.en} reports it done{' again' if again else ''}"
                return Said("处置", "cyan", f"{by.zh}{'再次' if again else ''}办结", en, result)
            case VerifyWork() as command:
                return self._verified(played, by, command)
            case _:
                return None

    def _reported(self, played: Played) -> Said:
        report = played.scene.report
        platform, sent = self._names.platform(report.rider.platform), report.submit
        area, service = self._names.area(report.area), self._names.service(sent.service_code)
        place = "" if report.place in sent.text else report.place
        zh = f"{report.rider.name}（{platform.zh}）在{area.zh}{place}"
        en = f"{service.en}, {area.en}"
        if played.answer and is_refused(played):
            why = self._names.reasons(played.answer.reasons)
            en = f"{en}. Refused: {why.en}"
            return Said("不受理", "yellow", zh, en, sent.text, f"未受理：{why.zh}。")
        after = "信号不好，同一件发了两次，只算一件。" if played.repeated else ""
        en += "; sent twice, counted once" if played.repeated else ""
        return Said("上报", "bold", zh, en, sent.text, after)

    def _dispatched(self, by: Words, command: DispatchCase) -> Said:
        to = self._names.unit(command.unit)
        zh, en = f"{by.zh} → {to.zh}", f"{by.en} hands it to {to.en}"
        if command.service_code:
            service = self._names.service(command.service_code)
            zh, en = f"{zh}，定为“{service.zh}”", f"{en} as '{service.en}'"
        return Said("派遣", "blue", zh, en)

    def _verified(self, played: Played, by: Words, command: VerifyWork) -> Said:
        note = command.note or ""
        if not command.passed:
            zh, en = f"{by.zh}核查未通过", f"Checked by {by.en}: not done, back it goes"
            return Said("返工", "magenta", zh, en, note)
        points = played.award.points if played.award else 0
        after = f"{played.scene.report.rider.name} +{points} 分。"
        en = f"Checked by {by.en}: closed, {points} points earned"
        return Said("结案", "green", f"{by.zh}核查通过", en, note, after)

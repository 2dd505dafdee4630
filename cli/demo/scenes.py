"""The day cut into scenes: one report, or one act of one unit, each at its moment. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cli.story.authored import Rider
from cli.story.story import Step, Story, StoryReport
from contracts.account import PointsAwarded
from contracts.case import CaseFile, DispatchCase, ReturnWork, VerifyWork, WorkOrder
from contracts.envelope import Answer

SENT_TWICE: Final = 8
"""Every so many reports the rider's phone loses the answer, and sends the same again."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing that somebody does."""

    report: StoryReport
    number: int
    """Counts the scenes of a report, from 0: the report itself."""
    at: datetime
    step: Step | None = None
    """The act of a unit; None where it is the rider who reports."""
    on_order: bool = False
    """The unit learns that it has to act by a new order, which it pulls from its queue first."""
    twice: bool = False
    """The report is sent twice."""

    @property
    def command_id(self) -> str:
        """The idempotency key of what is sent."""
        report_id = self.report.report_id
        return report_id if self.step is None else f"{report_id}-act-{self.number}"

    @property
    def is_last(self) -> bool:
        """Whether the day holds nothing more for this report."""
        return self.number == len(self.report.steps)


@dataclass(frozen=True, slots=True)
class Played:
    """A scene, and what came of it."""

    scene: Scene
    answer: Answer | None = None
    """None where the scene could not be played."""
    trouble: str = ""
    """Why it could not."""
    repeated: Answer | None = None
    """The answer to the report when it was sent again, and known by then."""
    order: WorkOrder | None = None
    """The order that the unit acted on."""
    file: CaseFile | None = None
    """What the unit could read once it had taken the case on."""
    award: PointsAwarded | None = None
    """The points that followed from closing the case."""


def shortened(story: Story, reports: int) -> Story:
    """The story with its first so many reports only, and who sends them."""
    kept = story.reports[:reports]
    senders = {report.rider.id for report in kept}
    riders: tuple[Rider, ...] = tuple(rider for rider in story.riders if rider.id in senders)
    return replace(story, riders=riders, reports=kept)


def scenes(story: Story) -> tuple[Scene, ...]:
    """The whole day in the order of its clock; those of one report follow each other."""
    day = [
        scene
        for place, report in enumerate(story.reports, start=1)
        for scene in _of(report, twice=place % SENT_TWICE == 0)
    ]
    return tuple(sorted(day, key=lambda scene: (scene.at, scene.report.report_id, scene.number)))


def _of(report: StoryReport, *, twice: bool) -> Iterator[Scene]:
    yield Scene(report, 0, report.sent_at, twice=twice)
    fresh = True  # the handover to the first holder
    for number, step in enumerate(report.steps, start=1):
        verifies = isinstance(step.command, VerifyWork)
        yield Scene(report, number, step.at, step, on_order=fresh or verifies)
        fresh = _gives_order(step) or (fresh and verifies)


def _gives_order(step: Step) -> bool:
    """Every handover and every rework gives a unit a new order."""
    match step.command:
        case DispatchCase() | ReturnWork() | VerifyWork(passed=False):
            return True
        case _:
            return False

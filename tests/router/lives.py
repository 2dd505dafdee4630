"""Cases led through their lives by commands, as the house does it: nothing is folded by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from contracts import case as c
from contracts.case import Step
from contracts.envelope import Command, Fact, Issued, Refused
from contracts.rulebook import Rulebook
from services.router.decider.case import CASE, NO_CASE, Case
from services.router.rules import Rules
from tests.district import (
    EAST,
    FIRE,
    IN_EAST,
    INSPECTION,
    KITE,
    REPORT,
    RIDER,
    SANITATION,
    TRIAGE,
    document,
)
from tests.given import CHINA, Decision

MONDAY: Final = datetime(2026, 5, 11, 9, 0, tzinfo=CHINA)
"""An ordinary Monday, in working hours."""
HOUR: Final = timedelta(hours=1)
LIMIT: Final = 6 * HOUR
"""Of the condition that these cases are of."""


def rules_with(**handling: Any) -> Rules:
    """The small district with three levels of escalation, and rules of handling as wanted."""
    escalation = [
        {"level": 1, "returns": 3, "reworks": 2, "transfers": 2, "told": ["street"]},
        {"level": 2, "returns": 5, "overdue": "2 urgent_hours", "told": ["street", TRIAGE]},
        {"level": 3, "overdue": "1 natural_day", "told": [INSPECTION]},
    ]
    told = {"dispatch_limit": "1 urgent_hour", **handling}
    given = document(routing={"escalation": escalation, "handling": told})
    for service in given["catalogue"]["services"]:
        worse = service["conditions"][1]
        worse["after_photo"] = True
        worse["check_before_open"] = service["code"] == "bulky"
    return Rules(Rulebook.model_validate(given))


RULES: Final = rules_with()

OPEN: Final = c.OpenCase(
    report_id=REPORT, rider_id=RIDER, platform=KITE, service_code="garbage", position=IN_EAST
)
"""In the east orders go straight to the department."""


@dataclass(frozen=True)
class Life:
    """A case so far."""

    state: Case = NO_CASE
    at: datetime = MONDAY
    rules: Rules = field(default_factory=lambda: RULES)
    facts: tuple[Fact, ...] = ()

    def later(self, by: timedelta) -> Life:
        """Time passes."""
        return replace(self, at=self.at + by)

    def when(self, command: Command, by: str, *, history: bool = False) -> Decision:
        """What the command comes to now."""
        issued = Issued(command=command, command_id="c-1", actor=by, at=self.at, history=history)
        try:
            return Decision(tuple(CASE.decide(issued, self.state, self.rules)))
        except Refused as refusal:
            return Decision((), refusal.reasons)

    def after(self, command: Command, by: str, *, history: bool = False) -> Life:
        """The case once the command is carried out."""
        decision = self.when(command, by, history=history)
        assert decision.reasons == (), decision.reasons
        state = CASE.fold(decision.facts, self.state)
        return replace(self, state=state, facts=(*self.facts, *decision.facts))

    def heard(self) -> Life:
        """The case once the clock was heard."""
        return self.after(c.RingClock(case_id=REPORT, moment=self.at), "router")

    def told(self, kind: type[Fact]) -> list[Any]:
        """The facts of a class, so far."""
        return [fact for fact in self.facts if isinstance(fact, kind)]


ACCEPT: Final = c.AcceptWork(case_id=REPORT)
RETURN: Final = c.ReturnWork(case_id=REPORT, reason=c.ReturnReason.WRONG_DEPARTMENT)
RESOLVE: Final = c.ResolveWork(case_id=REPORT, result="清运完毕", photo="p/after.jpg")
PASS: Final = c.VerifyWork(case_id=REPORT, passed=True)
FAIL: Final = c.VerifyWork(case_id=REPORT, passed=False)
GRANT: Final = c.DecideRequest(case_id=REPORT, granted=True)
REFUSE: Final = c.DecideRequest(case_id=REPORT, granted=False)
JOIN: Final = c.JoinCase(case_id=REPORT, into="r-0")


def dispatch(unit: str) -> c.DispatchCase:
    """To a unit."""
    return c.DispatchCase(case_id=REPORT, unit=unit)


def extension(until: datetime) -> c.AskExtension:
    """More time."""
    return c.AskExtension(case_id=REPORT, until=until, reason="配件未到")


def suspension(until: datetime) -> c.AskSuspension:
    """The clock stopped."""
    return c.AskSuspension(case_id=REPORT, until=until, reason="汛期不能开挖")


def opened(rules: Rules = RULES, **changes: Any) -> Life:
    """A case that was just opened."""
    return Life(rules=rules).after(OPEN.model_copy(update=changes), "router")


def handling(rules: Rules = RULES) -> Life:
    """The department has taken it on."""
    return opened(rules).after(ACCEPT, SANITATION)


def resolved(rules: Rules = RULES) -> Life:
    """An hour later the department says that it is done."""
    return handling(rules).later(HOUR).after(RESOLVE, SANITATION)


def closed(rules: Rules = RULES) -> Life:
    """Inspection has seen it."""
    return resolved(rules).after(PASS, INSPECTION)


def closed_late(rules: Rules = RULES) -> Life:
    """Done a day after it was due, and verified."""
    return handling(rules).later(24 * HOUR).after(RESOLVE, SANITATION).after(PASS, INSPECTION)


def suspended(rules: Rules = RULES, days: int = 30) -> Life:
    """Stopped after two hours."""
    life = handling(rules).later(2 * HOUR)
    return life.after(suspension(life.at + timedelta(days=days)), SANITATION).after(GRANT, EAST)


def at_the_street(rules: Rules = RULES) -> Life:
    """The department has given it back, the street office has it."""
    return handling(rules).later(HOUR).after(RETURN, SANITATION)


def checking() -> Life:
    """Somebody is to look first."""
    return opened(service_code="bulky", condition="bulky-worse")


def rejected() -> Life:
    """Recorded only."""
    return opened(service_code="opinion")


def joined() -> Life:
    """It gathers under another case."""
    return handling().after(JOIN, TRIAGE)


AT: Final[dict[Step, Life]] = {
    Step.NONE: Life(),
    Step.REJECTED: rejected(),
    Step.CHECKING: checking(),
    Step.JOINED: joined(),
    Step.DISPATCHED: opened(),
    Step.HANDLING: handling(),
    Step.SUSPENDED: suspended(),
    Step.RESOLVED: resolved(),
    Step.CLOSED: closed(),
}
"""One life that stands at each step."""

PARTIES: Final = (SANITATION, FIRE, EAST, TRIAGE, INSPECTION, KITE, "router", "archive")


def kinds(facts: Sequence[Fact]) -> tuple[type[Fact], ...]:
    """What happened, without the words of it."""
    return tuple(type(fact) for fact in facts)

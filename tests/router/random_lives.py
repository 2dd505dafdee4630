"""Lives of cases drawn at random: whatever is asked in whatever order, sensible or not."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from contracts import case as c
from contracts.envelope import Command
from services.router.decider.case import CASE
from tests.district import (
    EAST,
    FIRE,
    IN_EAST,
    IN_WEST,
    INSPECTION,
    KITE,
    NOWHERE,
    REPORT,
    RIDER,
    SANITATION,
    TRIAGE,
    WEST,
)
from tests.router.lives import MONDAY, OPEN, Life

UNITS = (SANITATION, FIRE, WEST, EAST, TRIAGE, INSPECTION)
units = st.sampled_from(UNITS)
spans = st.integers(1, 60 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


@st.composite
def commands(draw: st.DrawFn) -> Command:
    """Anything that can be asked of a case, sensible or not."""
    until = MONDAY + draw(spans)
    return draw(
        st.sampled_from(
            [
                c.CheckReport(case_id=REPORT, found=draw(st.booleans())),
                c.AcceptWork(case_id=REPORT),
                c.ClaimWork(case_id=REPORT, clerk=draw(st.sampled_from(["li", "wu"]))),
                c.DispatchCase(case_id=REPORT, unit=draw(units)),
                c.CorrectCase(
                    case_id=REPORT, position=draw(st.sampled_from([IN_EAST, IN_WEST, NOWHERE]))
                ),
                c.ReturnWork(case_id=REPORT, reason=c.ReturnReason.NOT_OUR_AREA),
                c.TransferWork(case_id=REPORT, unit=draw(units)),
                c.AskSupport(case_id=REPORT, unit=draw(units)),
                c.AskExtension(case_id=REPORT, until=until, reason="配件未到"),
                c.AskSuspension(case_id=REPORT, until=until, reason="汛期"),
                c.DecideRequest(case_id=REPORT, granted=draw(st.booleans())),
                c.ResumeWork(case_id=REPORT),
                c.ResolveWork(case_id=REPORT, result="好了", photo="p/1.jpg"),
                c.VerifyWork(case_id=REPORT, passed=draw(st.booleans())),
                c.CloseCase(case_id=REPORT, note="无"),
                c.CancelCase(case_id=REPORT, reason=c.CancelReason.WITHDRAWN),
                c.JoinCase(case_id=REPORT, into="r-0"),
                c.SeparateCase(case_id=REPORT),
                c.ContestClosing(case_id=REPORT, rider_id=RIDER, note="还在"),
                c.ReopenCase(case_id=REPORT, note="没好"),
                c.AppealTimeout(case_id=REPORT, reason="管制"),
                c.ReviewAppeal(case_id=REPORT, granted=draw(st.booleans())),
            ]
        )
    )


@st.composite
def lives(draw: st.DrawFn) -> list[Life]:
    """A life step by step; whoever has it is asked more often than others."""
    opening = OPEN.model_copy(
        update={
            "service_code": draw(st.sampled_from(["garbage", "bulky", "bare-wires", None])),
            "condition": draw(st.sampled_from([None, "bulky-worse"])),
            "position": draw(st.sampled_from([IN_EAST, IN_WEST, NOWHERE, None])),
        }
    )
    told = [Life().after(opening, "router")]
    for _ in range(draw(st.integers(1, 25))):
        life = told[-1].later(draw(spans))
        by = draw(st.sampled_from([life.state.unit or KITE] * 4 + [*UNITS, KITE]))
        decided = life.when(draw(commands()), by)
        state = CASE.fold(decided.facts, life.state)
        told.append(Life(state, life.at, life.rules, (*life.facts, *decided.facts)))
    return told

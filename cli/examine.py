"""`waggle examine`: what a report would earn now, and why not more. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from nats.js import JetStreamContext

from cli.printing import moment, print_json, print_table, say
from cli.running import Failure, run
from cli.sending import token
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from contracts.account import AwardPoints, CapName, Standing
from contracts.case import Step
from contracts.envelope import Recorded
from contracts.report import ReportAccepted
from eventlog.read import Unread, read_log, read_stream
from services.points.awards import Worth, shared_caps, worth
from services.points.caps import CAP
from services.points.decider import ACCOUNT
from services.points.parties import Parties
from services.points.reactions import placed
from services.points.rules import Rules
from services.router.decider.case import CASE, Case

WHY: Final[Mapping[CapName, str]] = {
    CapName.RIDER_DAY: "the rider's limit of the day is reached",
    CapName.RIDER_MONTH: "the rider's limit of the month is reached",
    CapName.PLACE_DAY: "the limit of this place for the day is reached",
    CapName.CLUSTER: "others have earned all that the case gives",
    CapName.CONFIRMERS: "enough others reported it before",
    CapName.ONCE_A_CASE: "the rider has earned for this case",
    CapName.ACT_MONTH: "the act has earned often enough this month",
}


def command(
    report: Annotated[str, typer.Argument(metavar="REPORT", help="The report's id.")],
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """What a report would earn if its case closed as fixed now, and why not more.

    By the rules in force, the rider's account, the roles held when it was
    reported, and what every limit has counted: the very function that awards.

    Examples:
      waggle examine 01JD2Q8Z7N4X0V5M3K9R6T1W8C
      waggle examine 01JD2Q8Z7N4X0V5M3K9R6T1W8C --json
    """
    run(_examine(token(report, "id"), data, as_json))


async def _examine(report_id: str, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json, services=False) as session:
        found = await examined(session, report_id)
        if as_json:
            print_json(found)
        else:
            _print(found, await session.zone())


async def examined(session: Session, report_id: str) -> dict[str, Any]:
    """All of it, as one document. Raises `Failure` for a report that nobody knows."""
    log, now = await session.log(), datetime.now(UTC)
    accepted = [f async for f in read_stream(log, "report", report_id)]
    if not accepted or not isinstance(accepted[0].body, ReportAccepted):
        raise Failure(f"no report {report_id} was taken on")
    rules = Rules(await session.rulebook(), await _parties(log))
    award = await _award(log, accepted[0], accepted[0].body)
    account = ACCOUNT.state_of([f async for f in read_stream(log, "account", award.rider_id)])
    totals = {
        shared: CAP.state_of([f async for f in read_stream(log, "cap", shared.cap_id)])
        for shared in shared_caps(award, now, rules)
    }
    decided = award.report_id in account.reports
    value = worth(award, account, totals, now, rules)
    earned = sum(lot.points for lot in account.lots.values() if lot.report_id == report_id)
    return {
        "report_id": report_id,
        "rider_id": award.rider_id,
        "case_id": award.case_id,
        "standing": award.standing,
        "place": award.place,
        "rulebook": rules.label,
        "decided": decided,
        "earned": earned,
        "points": 0 if decided or value is None else value.points,
        "why": list(_why(value, decided)),
        "shares": [] if value is None or decided else [_share(s) for s in value.shares],
        "limits": [] if value is None else [c.model_dump() for c in value.inputs.counted],
        "activates_at": rules.activates_at(now),
        "expires_at": rules.expires_at(rules.activates_at(now)),
    }


def _share(share: Any) -> dict[str, Any]:
    return {
        "rule": share.rule,
        "base": share.inputs.base,
        "percent": share.inputs.percent,
        "full": share.full,
        "points": share.points,
    }


def _why(value: Worth | None, decided: bool) -> list[str]:
    """Why it is not more."""
    if value is None:
        return ["no rule knows what it is about"]
    if decided:
        return ["the report has been decided on; it never earns again"]
    cut = [
        f"{c.cap}: {c.before} of {c.limit} are used"
        for c in value.inputs.counted
        if value.shares and c.limit - c.before < sum(share.full for share in value.shares)
    ]
    return [*(f"{cap}: {WHY[cap]}" for cap in value.caps), *cut]


async def _award(log: JetStreamContext, report: Recorded, said: ReportAccepted) -> AwardPoints:
    """The award that would follow: for the case, or for the one that the report has joined."""
    own = await _case(log, said.report_id)
    case_id = own.origin if own.step is Step.JOINED and own.origin else said.report_id
    case = own if case_id == said.report_id else await _case(log, case_id)
    places = {one.report_id: n for one, n in placed(case.rider_id or "", case.gathered)}
    joined = said.report_id in places
    return AwardPoints(
        rider_id=said.rider_id,
        platform=said.platform,
        report_id=said.report_id,
        case_id=case_id,
        service_code=case.service_code or said.service_code,
        condition=case.condition,
        area=case.area,
        standing=Standing.CONFIRMER if joined else Standing.FIRST,
        place=places.get(said.report_id, 0),
        reported_at=report.happened_at,
    )


async def _case(log: JetStreamContext, case_id: str) -> Case:
    return CASE.state_of([f async for f in read_stream(log, "case", case_id)])


async def _parties(log: JetStreamContext) -> Parties:
    parties = Parties()
    async for batch in read_log(log, subjects=("log.party.>",)):
        for entry in batch:
            if not isinstance(entry, Unread):
                parties.heard(entry)
    return parties


def _print(found: Mapping[str, Any], zone: Any) -> None:
    as_what = "first reporter" if not found["place"] else f"confirmer {found['place']}"
    say(f"{found['report_id']}: {found['points']} points to {found['rider_id']}", "bold")
    say(f"as {as_what} of case {found['case_id']}, by {found['rulebook']}")
    if found["decided"]:
        say(f"it has earned {found['earned']} points")
    for reason in found["why"]:
        say(f"  {reason}", "yellow")
    if found["shares"]:
        rows = [tuple(share.values()) for share in found["shares"]]
        print_table(("rule", "of", "percent", "in full", "points"), rows)
        say(f"to be spent from {moment(found['activates_at'], zone)}")
    if found["limits"]:
        rows = [(c["cap"], c["before"], c["limit"]) for c in found["limits"]]
        print_table(("limit", "used", "of"), rows)


def register(app: typer.Typer) -> None:
    """The verb."""
    app.command("examine", rich_help_panel="Points")(command)

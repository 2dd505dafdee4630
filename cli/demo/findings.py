"""What the house says at the end of the day: by its tables, by its log, by its queues."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import asyncpg

from cli.demo.desks import Desk
from cli.demo.expected import REFUSED, CaseEnd, Ending
from cli.running import Exit, Failure
from cli.session import Session
from contracts.account import PointsAwarded
from contracts.case import CaseClosed, CaseOpened
from contracts.envelope import Recorded
from contracts.notice import NoticeDelivered
from contracts.report import ReportAccepted, ReportRefused
from deploy.projections import PROJECTIONS
from eventlog.project import wait_for
from eventlog.read import head

CATCH_UP_SECONDS: Final = 30.0


async def wait_for_tables(session: Session) -> None:
    """Until every table shows all that is in the log now."""
    for projection in PROJECTIONS:
        if last := await head(await session.log(), projection.subjects):
            await wait_for_table(session, projection.name, last)


async def wait_for_table(session: Session, projection: str, sequence: int) -> None:
    """Until a projection has taken in a fact. Raises `Failure` when that takes too long."""
    try:
        await wait_for(await session.tables(), projection, sequence, CATCH_UP_SECONDS)
    except TimeoutError as late:
        raise Failure(
            f"the tables of {projection} have not reached sequence {sequence} after"
            f" {CATCH_UP_SECONDS:g} s; see {session.info.folder}/log/projector.log",
            Exit.NO_HOUSE,
        ) from late


async def found(session: Session, desks: Iterable[Desk]) -> Ending:
    """How the day ended, as the tables and the queues have it."""
    tables = await session.tables()
    reports = await tables.fetch("SELECT report_id, state, reasons FROM intake.report")
    cases = await tables.fetch(
        "SELECT case_id, step, unit, service_code, outcome, dispatches, returns, reworks"
        ' FROM router."case"'
    )
    points = await tables.fetch("SELECT rider_id, lifetime FROM points.passbook")
    notices = await tables.fetch(
        "SELECT channel, receiver, kind, count(*) AS n FROM notify.notice"
        " WHERE state = 'delivered' GROUP BY 1, 2, 3"
    )
    return Ending(
        reports={row["report_id"]: _decision(row) for row in reports},
        cases={row[0]: CaseEnd(*row[1:]) for row in map(tuple, cases)},
        points={row["rider_id"]: row["lifetime"] for row in points},
        notices={(row["channel"], row["receiver"], row["kind"]): row["n"] for row in notices},
        orders={unit: n for unit, n in await _waiting(desks) if n},
    )


def _decision(row: asyncpg.Record) -> str:
    if row["state"] != REFUSED:
        return str(row["state"])
    return f"{REFUSED}: {', '.join(reason['code'] for reason in json.loads(row['reasons']))}"


async def _waiting(desks: Iterable[Desk]) -> list[tuple[str, int]]:
    """By unit: the orders on its queue that nobody has acted on, by the server's own count."""

    async def count(desk: Desk) -> tuple[str, int]:
        info = await desk.nc.jetstream().consumer_info("WORK", desk.unit)
        return desk.unit, (info.num_pending or 0) + (info.num_ack_pending or 0)

    return list(await asyncio.gather(*map(count, desks)))


async def stored_notices(session: Session) -> int:
    """How many notices the outbox holds."""
    info = await (await session.log()).stream_info("OUTBOX")
    return info.state.messages


def doubled(facts: Iterable[Recorded]) -> Iterator[str]:
    """What stands in the log more than once and may only stand there once."""
    counted = Counter(once for fact in facts if (once := _only_once(fact)))
    yield from (f"{what}: {n} times" for what, n in sorted(counted.items()) if n > 1)


def _only_once(fact: Recorded) -> str | None:
    match fact.body:
        case ReportAccepted(report_id=report_id) | ReportRefused(report_id=report_id):
            return f"decision on report {report_id}"
        case CaseOpened(case_id=case_id):
            return f"opening of case {case_id}"
        case CaseClosed(case_id=case_id):
            return f"closing of case {case_id}"
        case PointsAwarded(report_id=report_id):
            return f"award for report {report_id}"
        case NoticeDelivered(notice_id=notice_id, channel=channel):
            return f"delivery of {notice_id} by {channel}"
        case _:
            return None

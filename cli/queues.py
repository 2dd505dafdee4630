"""What was sent out: a unit's work orders, and the notices of the outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Final

import nats.errors
import typer
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from cli.printing import moment, print_json, print_table, say
from cli.running import Exit, Failure, go_on, run, until_interrupted
from cli.session import DEFAULT_DATA, DataOption, JsonOption, Session, open_session
from contracts.case import WorkOrder
from contracts.notice import Notice
from eventlog.ordered import OrderedReader, place

AT_A_TIME: Final = 50
POLL: Final = 5.0
"""Seconds that one request for orders stays open."""
ACK_SECONDS: Final = 10.0
"""What is not acknowledged by then comes again."""
MOST: Final = 1000
"""Orders that may be out and not yet acknowledged."""

FollowOption = Annotated[
    bool,
    typer.Option("--follow", "-f", help="Go on until Ctrl-C; with --json one document a line."),
]


def work(
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="The unit's code.")],
    take: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST,
            metavar="N",
            help="Take N orders off the queue, or as many as there are.",
        ),
    ] = None,
    follow: FollowOption = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """A unit's work: look at what is open, or take orders off its queue.

    Without --take and --follow nothing is taken: every open case that the
    unit holds, by due time. An order is taken as the unit itself, printed,
    and only then acknowledged, so none is lost.

    Examples:
      waggle work sanitation
      waggle work sanitation --take 5 --json
      waggle work sanitation --follow
    """
    if take and follow:
        raise typer.BadParameter("--take ends after N orders, --follow never does: choose one")
    if take:
        run(_take(unit, take, data, as_json))
    elif follow:
        run(_follow(unit, data, as_json))
    else:
        run(_peek(unit, data, as_json))


def outbox(
    receiver: Annotated[str | None, typer.Option(help="Only what was told to this party.")] = None,
    follow: FollowOption = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Every notice that went out, in order: who was told what, in which words.

    Examples:
      waggle outbox --receiver rider-01
      waggle outbox --follow --json
    """
    run(_outbox(receiver, follow, data, as_json))


async def _peek(unit: str, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        await _insist_on_unit(session, unit)
        rows = await (await session.tables()).fetch(
            "SELECT case_id, step, service_code, area, due_at, due_at < now() AS overdue, why,"
            " returns, reworks FROM router.case"
            " WHERE unit = $1 AND step IN ('dispatched', 'handling') ORDER BY due_at, case_id",
            unit,
        )
        if as_json:
            print_json({"unit": unit, "open": [dict(row) for row in rows]})
            return
        zone = await session.zone()
        say(f"{unit}: {len(rows)} open")
        if rows:
            cells = (
                (r["case_id"], r["step"], r["service_code"], moment(r["due_at"], zone), r["why"])
                + (("overdue",) if r["overdue"] else ("",))
                for r in rows
            )
            print_table(("case", "step", "service", "due", "why", ""), cells)


async def _take(unit: str, count: int, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        queue = await _queue(session, unit)
        messages: list[Msg] = []
        while len(messages) < count and (more := await _fetched(queue, count - len(messages), 1.0)):
            messages += more
        orders = [WorkOrder.model_validate_json(message.data) for message in messages]
        if as_json:
            print_json({"unit": unit, "taken": [order.model_dump(mode="json") for order in orders]})
        else:
            zone = await session.zone()
            say(f"{unit}: {len(orders)} taken" if orders else f"{unit}: no orders wait")
            for order in orders:
                _print_order(order, zone)
        for message in messages:
            await message.ack_sync(timeout=ACK_SECONDS)


async def _follow(unit: str, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        queue, zone = await _queue(session, unit), await session.zone()
        with until_interrupted("stopped; what was printed is taken, the rest stays on the queue"):
            while True:
                go_on()
                for message in await _fetched(queue, AT_A_TIME, POLL):
                    order = WorkOrder.model_validate_json(message.data)
                    if as_json:
                        print_json(order.model_dump(mode="json"))
                    else:
                        _print_order(order, zone)
                    await message.ack_sync(timeout=ACK_SECONDS)


async def _queue(session: Session, unit: str) -> JetStreamContext.PullSubscription:
    """The unit's queue, as the unit: nobody else reaches it."""
    await _insist_on_unit(session, unit)
    js = (await session.nats(unit)).jetstream()
    return await js.pull_subscribe_bind(durable=unit, stream="WORK")


async def _fetched(
    queue: JetStreamContext.PullSubscription, most: int, patience: float
) -> list[Msg]:
    try:
        return await queue.fetch(min(most, AT_A_TIME), timeout=patience)
    except nats.errors.TimeoutError:
        return []


async def _insist_on_unit(session: Session, unit: str) -> None:
    book = await session.rulebook()
    if unit not in (known := [u.code for u in book.units]):
        raise Failure(
            f"{book.label} has no unit '{unit}'; it has {', '.join(known)}", Exit.WRONG_INPUT
        )


def _print_order(order: WorkOrder, zone: tzinfo) -> None:
    at = order.position
    place = f"{at.lat:.5f}, {at.lng:.5f}" if at else "no position"
    kind, due = order.service_code or "no kind", moment(order.due_at, zone)
    say(f"{order.case_id}  {order.kind}  {kind}  due {due}", "bold")
    say(f"  {place}  area {order.area or 'none'}")
    say(f"  {order.explanation.zh}  {order.explanation.en}")
    if order.suggested:
        say(f"  suggested: {order.suggested}")


async def _outbox(receiver: str | None, follow: bool, data: Path, as_json: bool) -> None:
    async with open_session(data, quiet=as_json) as session:
        js, zone = await session.log(), await session.zone()
        shown: list[Notice] = []
        with until_interrupted("stopped"):
            async for notice in _notices(js, follow):
                go_on()
                if receiver not in (None, notice.receiver):
                    continue
                if as_json and not follow:
                    shown.append(notice)
                elif as_json:
                    print_json(notice.model_dump(mode="json"))
                else:
                    _print_notice(notice, zone)
        if as_json and not follow:
            print_json({"notices": [notice.model_dump(mode="json") for notice in shown]})


async def _notices(js: JetStreamContext, follow: bool) -> AsyncIterator[Notice]:
    """The notices of the outbox from the first: to the last there is now, or without end."""
    last = (await js.stream_info("OUTBOX")).state.last_seq
    if not last and not follow:
        return
    reader = OrderedReader(
        js, _placed, stream="OUTBOX", subjects=("notice.outbox.>",), after=0, ahead=4 * AT_A_TIME
    )
    async with reader:
        sequence = 0
        while follow or sequence < last:
            taken = await reader.take(AT_A_TIME)
            sequence = taken[-1][0]
            for _, notice in taken:
                yield notice


def _placed(message: Msg) -> tuple[int, Notice]:
    return place(message.reply)[0], Notice.model_validate_json(message.data)


def _print_notice(notice: Notice, zone: tzinfo) -> None:
    say(
        f"{moment(notice.happened_at, zone)}  {notice.receiver}  {notice.kind}  {notice.title}",
        "bold",
    )
    say(f"  {notice.text}")


def register(app: typer.Typer) -> None:
    """Add the verbs of this group."""
    for verb in (work, outbox):
        app.command(rich_help_panel="Looking")(verb)

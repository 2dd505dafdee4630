"""`waggle submit`: a rider's report, handed in by the rider's platform."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.ids import new_id
from cli.printing import finish, note, print_answer
from cli.running import Exit, run
from cli.sending import build
from cli.session import DEFAULT_DATA, DataOption, JsonOption, open_session
from contracts.envelope import Datum
from contracts.report import SubmitReport
from eventlog.asking import ask

ConditionOption = Annotated[
    str | None, typer.Option(help="Its exact state; the default one where not given.")
]
AssetOption = Annotated[
    str | None, typer.Option(help="The number on the thing, by which its owner is found.")
]
AnswerOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CODE=TEXT", help="To a question of the condition; again for several choices."
    ),
]
PlatformOption = Annotated[
    str | None,
    typer.Option(help="Whom the rider works for; the first of the rulebook where not given."),
]
SeenOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="When it was seen, ISO 8601 with its zone; now where not given."
    ),
]
IdOption = Annotated[
    str | None,
    typer.Option(
        "--report-id", help="The report's id and idempotency key; made here where not given."
    ),
]


def submit(
    rider: Annotated[str, typer.Option(help="Who saw it.")],
    text: Annotated[str, typer.Option(help="What was seen; `-` reads it from stdin.")] = "",
    title: Annotated[str | None, typer.Option(help="In one line.")] = None,
    service: Annotated[
        str | None, typer.Option(help="Code of the kind of hazard; none goes to the triage desk.")
    ] = None,
    condition: ConditionOption = None,
    asset: AssetOption = None,
    answer: AnswerOption = None,
    lat: Annotated[float | None, typer.Option(help="Latitude in degrees.")] = None,
    lng: Annotated[float | None, typer.Option(help="Longitude in degrees.")] = None,
    datum: Annotated[
        Datum, typer.Option(help="What latitude and longitude were measured in.")
    ] = Datum.WGS84,
    photo: Annotated[str | None, typer.Option(help="Where the photo is.")] = None,
    platform: PlatformOption = None,
    seen_at: SeenOption = None,
    report_id: IdOption = None,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> None:
    """Hand in a rider's report.

    Id and time are told before the report is sent: with both, it can be sent
    again and is never taken in twice. Exit code 1 when it is refused, with
    every reason.

    Examples:
      waggle submit --rider r1 --lat 29.772 --lng 121.302 --text 路灯不亮
      waggle submit --rider r1 --service lamp-out --lat 29.772 --lng 121.302
      waggle submit --rider r1 --lat 29.772 --lng 121.302 --text - < seen.txt
      waggle submit --rider r1 --service food-premises-dirty --answer shop=老王面馆
        --answer seen-how=inside --lat 29.772 --lng 121.302 --text 后厨污水横流
    """
    if (lat is None) != (lng is None):
        raise typer.BadParameter("--lat and --lng belong together")
    report = build(
        SubmitReport,
        report_id=report_id or new_id(),
        rider_id=rider,
        seen_at=seen_at or datetime.now().astimezone().isoformat(timespec="seconds"),
        service_code=service,
        condition=condition,
        asset=asset,
        answers=_answers(answer or []),
        position=None if lat is None else {"lat": lat, "lng": lng, "datum": datum},
        title=title,
        text=sys.stdin.read() if text == "-" else text,
        photo=photo,
    )
    finish(run(_submit(report, platform, data, as_json)))


def _answers(given: list[str]) -> dict[str, str | list[str]]:
    """The answers by question; several under one code are several choices."""
    told: dict[str, list[str]] = {}
    for one in given:
        code, equals, text = one.partition("=")
        if not equals:
            raise typer.BadParameter(f"--answer {one}: write it as CODE=TEXT")
        told.setdefault(code, []).append(text)
    return {code: texts if len(texts) > 1 else texts[0] for code, texts in told.items()}


async def _submit(report: SubmitReport, platform: str | None, data: Path, as_json: bool) -> Exit:
    async with open_session(data, quiet=as_json) as session:
        party = platform or (await session.rulebook()).platforms[0].code
        nc = await session.nats(party)
        seen_at = report.seen_at.isoformat()
        note(f"as {party}; to send this again: --report-id {report.report_id} --seen-at {seen_at}")
        answer, known = await ask(nc, party, report, report.report_id)
        return print_answer(
            answer, known=known, as_json=as_json, **{"as": party, "seen_at": seen_at}
        )

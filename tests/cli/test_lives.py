"""What can happen to a case on real servers: joined, claimed, extended, late, counted."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import pytest

from cli.ids import new_id
from contracts.case import JoinCase, OpenCase
from contracts.envelope import Command, Issued
from contracts.report import Position
from contracts.rulebook import Rulebook
from deploy.house import HouseInfo, Plan, running_house, service_environment
from deploy.rulebooks import load_rulebook
from eventlog.service import Service
from eventlog.settings import Settings
from services.router.decider.case import CASE
from services.router.rules import Rules
from tests.cli.test_verbs import step_of, submitted, types, until
from tests.cli.waggle import Waggle

SHANGHAI = ZoneInfo("Asia/Shanghai")
SPOT = ("--lat", "29.7635", "--lng", "121.3135")
NEXT_TO_IT = ("--lat", "29.7636", "--lng", "121.3135")
"""In Shiqiao, eleven metres apart."""


def sent(waggle: Waggle, rider: str, *place: str) -> str:
    words = ("submit", "--rider", rider, "--service", "exposed-garbage", *place, "--text", "垃圾")
    report: str = waggle.json(*words)["id"]
    return report


def case_of(waggle: Waggle, case: str) -> dict[str, Any]:
    found: dict[str, Any] = waggle.json("status", case)["case"]
    return found


def test_reports_of_one_thing_gather_and_can_be_separated(waggle: Waggle) -> None:
    first = sent(waggle, "rider-one", *SPOT)
    step_of(waggle, first, "dispatched")
    second = sent(waggle, "rider-two", *NEXT_TO_IT)
    assert step_of(waggle, second, "joined")["origin"] == first
    until(lambda: case_of(waggle, first)["reports"] == 2 or None)
    joined = [f for f in waggle.json("timeline", first)["facts"] if f["type"] == "ReportJoined"]
    assert [f["body"]["rider_id"] for f in joined] == ["rider-two"]
    refused = waggle("accept", second, "--as", "sanitation", "--json")
    assert [r["code"] for r in refused.document["reasons"]] == ["already_joined"]
    waggle.json("separate", second)
    assert step_of(waggle, second, "dispatched")["origin"] is None
    until(lambda: case_of(waggle, first)["reports"] == 1 or None)
    waggle.json("join", second, first)
    step_of(waggle, second, "joined")
    until(lambda: case_of(waggle, first)["reports"] == 2 or None)


def test_what_a_rider_answers_and_reads_off_the_thing_reaches_who_must_act(waggle: Waggle) -> None:
    words = ("submit", "--rider", "rider-food", "--service", "food-premises-dirty", *SPOT)
    missing = waggle(*words, "--text", "后厨脏", "--json")
    assert [r["field"] for r in missing.document["reasons"]] == ["answers.shop"]
    told = waggle.json(*words, "--text", "后厨脏", "--answer", "shop=老王面馆")
    step_of(waggle, told["id"], "dispatched")
    facts = waggle.json("timeline", told["id"])["facts"]
    assert facts[0]["body"]["answers"] == '{"shop": "老王面馆"}'

    cover = ("submit", "--rider", "rider-cover", "--service", "manhole-broken", *SPOT)
    numbered = waggle.json(*cover, "--asset", "3302990400012", "--text", "井盖碎了")["id"]
    step_of(waggle, numbered, "dispatched")
    [to] = [
        f["body"] for f in waggle.json("timeline", numbered)["facts"] if "unit_kind" in f["body"]
    ]
    assert (to["unit"], to["why"]) == ("municipal", "direct_by_area")
    assert "asset-owner" in to["rule"]


def test_a_case_joins_only_what_is_open(waggle: Waggle) -> None:
    words = ("submit", "--rider", "rider-one", "--service", "lamp-out", *SPOT, "--text", "灯")
    case = waggle.json(*words)["id"]
    step_of(waggle, case, "dispatched")
    refused = waggle("join", case, "no-such-case", "--json")
    assert [r["code"] for r in refused.document["reasons"]] == ["no_such_case"]
    assert case_of(waggle, case)["step"] == "dispatched"


def test_another_radius_would_gather_otherwise_and_nothing_is_touched(waggle: Waggle) -> None:
    first = sent(waggle, "rider-one", "--lat", "29.7600", "--lng", "121.3135")
    step_of(waggle, first, "dispatched")
    second = sent(waggle, "rider-two", "--lat", "29.7605", "--lng", "121.3135")  # 56 m
    step_of(waggle, second, "dispatched")
    told = waggle.json("whatif", "duplicates", "--radius", "80")
    found = {one["report_id"]: one["would_be"] for one in told["otherwise"]}
    assert found[second] == first
    assert told["cases"]["would_be"] < told["cases"]["by_the_rules"]
    assert case_of(waggle, second)["step"] == "dispatched"


def test_a_report_that_was_to_join_a_case_closed_meanwhile_stands_by_itself(
    waggle: Waggle, living_house: Path
) -> None:
    over, open_case = submitted(waggle), submitted(waggle)
    waggle.json("close", over, "--note", "现场已无")
    step_of(waggle, over, "closed")
    refused = waggle("join", open_case, over, "--json")
    assert [r["code"] for r in refused.document["reasons"]] == ["not_one_case"]
    # decided a moment before it was closed
    command, now = JoinCase(case_id=open_case, into=over), datetime.now(UTC)
    asyncio.run(decided(living_house, command, open_case, "triage", now))
    case = until(lambda: ((c := case_of(waggle, open_case))["step"] == "dispatched" and c) or None)
    assert case["dispatches"] == 2
    assert "CaseSeparated" in types(waggle.json("timeline", open_case))


def test_of_two_clerks_one_has_it_and_the_board_shows_whose_it_is(waggle: Waggle) -> None:
    case = submitted(waggle)
    waggle.json("claim", case, "--clerk", "li-01")
    other = waggle("claim", case, "--clerk", "wu-02", "--json")
    assert other.code == 1
    [reason] = other.document["reasons"]
    assert reason["code"] == "claimed_by_another"
    assert "li-01" in reason["detail"]
    mine = ("board", "street-taoyuan", "--view", "mine", "--clerk", "li-01")
    assert case in [row["case_id"] for row in waggle.json(*mine)["cases"]]
    waggle.json("release", case, "--clerk", "li-01")
    waggle.json("claim", case, "--clerk", "wu-02")


def test_more_time_is_asked_and_granted_and_a_suspension_too(waggle: Waggle) -> None:
    case = submitted(waggle)
    waggle.json("dispatch", case, "municipal")
    waggle.json("accept", case)
    due = datetime.fromisoformat(until(lambda: case_of(waggle, case)["due_at"]))
    until_then = (due + timedelta(minutes=30)).isoformat()
    waggle.json("extend", case, "--until", until_then, "--reason", "配件未到")
    asked = waggle.json("board", "street-taoyuan", "--view", "asked")["cases"]
    assert case in [row["case_id"] for row in asked]
    assert waggle.json("answer", case, "--grant")["as"] == "street-taoyuan"
    until(
        lambda: (
            datetime.fromisoformat(case_of(waggle, case)["due_at"]) == due + timedelta(minutes=30)
            or None
        )
    )
    month = (datetime.now(SHANGHAI) + timedelta(days=30)).replace(tzinfo=None)
    waggle.json("suspend", case, "--until", month.isoformat("T", "minutes"), "--reason", "冬季")
    waggle.json("answer", case, "--grant", "--as", "triage")
    step_of(waggle, case, "suspended")
    refused = waggle("resolve", case, "--result", "好了", "--json").document["reasons"]
    assert refused[0]["code"] == "not_in_handling"
    assert "resume_work" in refused[0]["detail"]
    waggle.json("resume", case)
    step_of(waggle, case, "handling")


def test_what_is_closed_can_be_contested_and_reopened(waggle: Waggle) -> None:
    case = submitted(waggle, "rider-contests")
    waggle.json("dispatch", case, "sanitation")
    waggle.json("accept", case)
    waggle.json("resolve", case, "--result", "已清运", "--photo", "p/1.jpg")
    to_verify = waggle.json("board", "inspection", "--view", "to_verify")["cases"]
    assert case in [row["case_id"] for row in to_verify]
    waggle.json("verify", case, "--passed")
    step_of(waggle, case, "closed")
    waggle.json("contest", case, "--rider", "rider-contests", "--note", "还有一半")
    contested = waggle.json("board", "inspection", "--view", "contested")["cases"]
    assert case in [row["case_id"] for row in contested]
    waggle.json("reopen", case, "--note", "复查仍有")
    assert step_of(waggle, case, "dispatched")["reopens"] == 1


async def decided(folder: Path, command: Command, case_id: str, by: str, at: datetime) -> None:
    """What another process of the room would decide, without having looked around."""
    info = running_house(folder)
    assert info is not None
    kind = type(command).__name__
    issued = Issued(command=command, command_id=kind, actor=by, at=at, correlation=case_id)
    rules = Rules(Rulebook.model_validate(load_rulebook()))
    async with Service.open("router", settings_of(info)) as service:
        await service.execution(CASE).carry_out(issued, case_id, rules)


def opened_at(folder: Path, at: datetime, place: Position, service: str = "fire-lane") -> str:
    """A case that went straight to its department at that moment, decided as the room decides."""
    case_id = new_id()
    command = OpenCase(
        report_id=case_id,
        rider_id="rider-late",
        platform="platform-kite",
        service_code=service,
        position=place,
    )
    asyncio.run(decided(folder, command, case_id, "router", at))
    return case_id


def test_two_cases_that_two_processes_open_at_once_about_one_thing_gather(
    waggle: Waggle, living_house: Path
) -> None:
    now, place = datetime.now(UTC), Position(lat=29.7655, lng=121.3140)
    first = opened_at(living_house, now, place, "hydrant-damage")
    second = opened_at(living_house, now, place, "hydrant-damage")
    assert step_of(waggle, max(first, second), "joined")["origin"] == min(first, second)
    until(lambda: case_of(waggle, min(first, second))["reports"] == 2 or None)
    waggle.json("separate", max(first, second))
    step_of(waggle, max(first, second), "dispatched")  # and so it stays: a person has said so


def settings_of(info: HouseInfo) -> Settings:
    told = service_environment(Plan(folder=info.folder, document={}), info, "router")
    return Settings(
        nats_url=told["NATS_URL"],
        nkey_seed_file=Path(told["WAGGLE_NKEY_FILE"]),
        identity="router",
        database_url=told["DATABASE_URL"],
        keys_url=told["WAGGLE_KEYS_URL"],
        master_key_file=Path(told["WAGGLE_MASTER_KEY_FILE"]),
    )


def kill_router(folder: Path) -> None:
    """Kill the process of the room in this house; its supervisor starts another one."""
    info = running_house(folder)
    assert info is not None
    house = psutil.Process(info.pid)

    def there() -> psutil.Process | None:
        children = house.children(recursive=True)
        return next((p for p in children if "services.router.app" in p.cmdline()), None)

    until(there).send_signal(signal.SIGKILL)


def bodies(waggle: Waggle, case: str, kind: str) -> list[dict[str, Any]]:
    facts = waggle.json("timeline", case)["facts"]
    return [fact["body"] for fact in facts if fact["type"] == kind]


@pytest.mark.timeout(240)
def test_lateness_is_said_once_whoever_is_killed_when(waggle: Waggle, living_house: Path) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=25)
    cases = []
    for _ in range(3):
        cases.append(opened_at(living_house, long_ago, Position(lat=29.7700, lng=121.3000)))
        kill_router(living_house)  # in the middle of hearing the clock
    for case in cases:
        until(lambda case=case: case_of(waggle, case)["overdue"] or None)  # type: ignore[misc]
    kill_router(living_house)
    submitted(waggle)  # answered by the new process: it has looked at the clock again
    for case in cases:
        late = bodies(waggle, case, "DeadlinePassed")
        assert sorted(body["clock"] for body in late) == ["accept", "handle"]
        levels = [body["level"] for body in bodies(waggle, case, "CaseEscalated")]
        assert levels == sorted(set(levels)) != []
    overdue = waggle.json("board", "fire", "--view", "overdue")["cases"]
    assert set(cases) <= {row["case_id"] for row in overdue}


def test_a_month_is_evaluated_and_every_number_opens(waggle: Waggle) -> None:
    case = submitted(waggle, "rider-counted")
    waggle.json("close", case, "--note", "现场已无")
    step_of(waggle, case, "closed")
    month = datetime.now(SHANGHAI).strftime("%Y-%m")
    told = waggle.json("evaluate", "--month", month, "--cases", "opened")
    assert case in told["cases"]["all"]
    assert told["figures"]["all"]["opened"] == len(told["cases"]["all"])
    by_unit = waggle.json("evaluate", "--month", month, "--by", "department")["figures"]
    assert set(by_unit) <= {"-", *(waggle.json("status")["cases"]["open_by_unit"])} | {
        "street-taoyuan",
        "sanitation",
        "municipal",
        "enforcement",
        "welfare",
        "fire",
    }
    lines = waggle("evaluate", "--month", month, "--csv").out.splitlines()
    assert lines[0].startswith("all,opened,due,closed,on_time")
    assert waggle("evaluate", "--month", "November").code == 2


def test_a_month_is_published_once_and_only_when_it_is_over(waggle: Waggle) -> None:
    month = datetime.now(SHANGHAI).strftime("%Y-%m")
    early = waggle("evaluate", "--month", month, "--publish", "--json")
    assert [r["code"] for r in early.document["reasons"]] == ["not_over"]
    waggle.json("evaluate", "--month", "2020-02", "--publish")
    again = waggle("evaluate", "--month", "2020-02", "--publish", "--json")
    assert [r["code"] for r in again.document["reasons"]] == ["already_published"]
    shown = waggle.json("evaluate", "--month", "2020-02", "--published")
    assert shown["corrections"] == {}
    assert waggle("evaluate", "--month", "2020-03", "--published").code == 1

"""The verbs on a house that runs: one command each, its answer, and what can be looked at then."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import pytest

from cli.ids import new_id
from deploy.projections import PROJECTIONS
from tests.cli.waggle import Waggle
from tests.houses import PATIENCE, WAGGLE

T = TypeVar("T")

TAOYUAN = ("--lat", "29.772", "--lng", "121.302")
TEXT = "桃园路口垃圾外溢，\n\t污水流到非機動車道"


_PLACES = iter(range(2000))


def somewhere() -> tuple[str, ...]:
    """A point in Taoyuan that no report was about yet: near ones would join its case."""
    row, column = divmod(next(_PLACES), 20)
    return ("--lat", f"{29.768 + row * 0.0005:.4f}", "--lng", f"{121.296 + column * 0.0005:.4f}")


def submitted(waggle: Waggle, rider: str = "rider-verbs", *more: str) -> str:
    at = somewhere()
    words = ("submit", "--rider", rider, "--service", "exposed-garbage", *at, "--text", TEXT)
    report: str = waggle.json(*words, *more)["id"]
    step_of(waggle, report, "dispatched")
    return report


def step_of(waggle: Waggle, report: str, step: str) -> dict[str, Any]:
    """The case as the tables show it, once it has come to this step."""

    def shown() -> dict[str, Any] | None:
        case: dict[str, Any] | None = waggle.json("status", report)["case"]
        return case if case and case["step"] == step else None

    return until(shown)


def until(look: Callable[[], T | None]) -> T:
    """What `look` finds, as soon as it does."""
    give_up = monotonic() + PATIENCE
    while (found := look()) is None:
        assert monotonic() < give_up
        sleep(0.02)
    return found


def types(timeline: dict[str, Any]) -> list[str]:
    return [fact["type"] for fact in timeline["facts"]]


@pytest.fixture(scope="module")
def closed(waggle: Waggle) -> str:
    """A report that went the whole way: given back once, done again once."""
    report = submitted(waggle, "rider-closed")
    waggle.json("dispatch", report, "municipal")
    waggle.json("return", report, "--reason", "wrong_department", "--note", "属环卫")
    waggle.json("dispatch", report, "sanitation")
    waggle.json("accept", report)
    waggle.json("resolve", report, "--result", "已清运")
    waggle.json("verify", report, "--failed", "--note", "仍有残留")
    waggle.json("resolve", report, "--result", "已清运并冲洗", "--photo", "photos/after.jpg")
    waggle.json("verify", report, "--passed")
    until(lambda: waggle.json("passbook", "rider-closed")["lines"] or None)
    return report


def test_a_report_is_taken_on_and_the_same_again_gets_the_same_answer(waggle: Waggle) -> None:
    words = ("submit", "--rider", "rider-01", *TAOYUAN, "--text", TEXT, "--json")
    report, seen = new_id(), "2026-01-01T08:00:00+08:00"
    first = waggle(*words, "--report-id", report, "--seen-at", seen)
    assert f"--report-id {report} --seen-at {seen}" in first.err
    again = waggle(*words, "--report-id", report, "--seen-at", seen).document
    assert first.document["known"] is False
    assert again == {**first.document, "known": True}


def test_a_refused_report_says_every_reason_and_ends_with_1(waggle: Waggle) -> None:
    said = waggle("submit", "--rider", "rider-01", "--seen-at", "2001-01-01T00:00:00Z")
    assert said.code == 1
    for reason in ("no_content", "no_position", "too_old"):
        assert reason in said.out


def test_a_text_can_come_from_stdin(waggle: Waggle) -> None:
    report = waggle.json("submit", "--rider", "rider-01", *TAOYUAN, "--text", "-", typed=TEXT)["id"]
    (accepted, *_) = waggle.json("timeline", report)["facts"]
    assert accepted["body"]["text"] == TEXT


def test_an_option_that_cannot_be_meant_ends_with_2(waggle: Waggle) -> None:
    for words in (
        ("submit", "--rider", "a b", "--text", "x"),
        ("submit", "--rider", "rider-01", "--lat", "29"),
        ("accept", "a>b"),
        ("accept", "any", "--as", "nobody"),
        ("return", "any", "--reason", "tired"),
        ("work", "nobody"),
        ("log", "tail", "--type", "Nothing"),
        ("rebuild", "--only", "nothing"),
    ):
        assert waggle(*words).code == 2, words


def test_what_is_too_large_to_be_sent_is_said_at_once(waggle: Waggle) -> None:
    said = waggle("submit", "--rider", "rider-01", *TAOYUAN, "--text", "-", typed="长" * 400_000)
    assert said.code == 2
    assert "too large" in said.err


def test_who_acts_is_the_holder_and_is_told(waggle: Waggle) -> None:
    report = submitted(waggle)
    said = waggle("dispatch", report, "sanitation", "--json")
    assert said.document["as"] == "street-taoyuan"
    assert "acting as street-taoyuan" in said.err
    assert waggle.json("accept", report)["as"] == "sanitation"


def test_a_refusal_is_an_answer_and_ends_with_1(waggle: Waggle) -> None:
    report = submitted(waggle)
    said = waggle("accept", report, "--as", "fire", "--json")
    assert said.code == 1
    assert [reason["code"] for reason in said.document["reasons"]] == ["not_yours"]


def test_a_command_sent_again_is_not_done_again(waggle: Waggle) -> None:
    report = submitted(waggle)
    words = ("accept", report, "--as", "street-taoyuan", "--command-id", "once")
    first, again = waggle.json(*words), waggle.json(*words)
    assert again == {**first, "known": True}
    assert types(waggle.json("timeline", report)).count("WorkAccepted") == 1


def test_a_dispatcher_closes_what_needs_no_handling(waggle: Waggle) -> None:
    report = submitted(waggle)
    waggle.json("close", report, "--note", "现场已无堆物")
    assert step_of(waggle, report, "closed")["outcome"] == "unfounded"


def test_a_timeline_tells_the_whole_way_in_order(waggle: Waggle, closed: str) -> None:
    timeline = waggle.json("timeline", closed)
    facts = timeline["facts"]
    assert [f["sequence"] for f in facts] == sorted(f["sequence"] for f in facts)
    told = [name for name in types(timeline) if not name.startswith("Notice")]
    assert told == [
        "ReportAccepted",
        "CaseOpened",
        "CaseDispatched",
        "CaseDispatched",
        "WorkReturned",
        "ClockPaused",
        "CaseDispatched",
        "CaseDispatched",
        "WorkAccepted",
        "WorkResolved",
        "ClockPaused",
        "ReworkOrdered",
        "ClockResumed",
        "WorkResolved",
        "ClockPaused",
        "WorkVerified",
        "CaseClosed",
        "PointsAwarded",
    ]
    assert facts[0]["body"]["text"] == TEXT
    results = [f["body"]["result"] for f in facts if f["type"] == "WorkResolved"]
    assert results == ["已清运", "已清运并冲洗"]
    said = waggle("timeline", closed).out
    for words in ("属环卫", "because of #", "earns 5 points", "the work of sanitation done"):
        assert words in said


def test_a_passbook_says_what_each_report_earned(waggle: Waggle, closed: str) -> None:
    book = waggle.json("passbook", "rider-closed")
    assert (book["lifetime"], book["pending"], book["available"]) == (5, 5, 0)
    assert [line["report_id"] for line in book["lines"]] == [closed]


def test_the_status_of_a_report_shows_its_case_and_how_current_that_is(
    waggle: Waggle, closed: str
) -> None:
    status = waggle.json("status", closed)
    assert (status["case"]["step"], status["case"]["returns"], status["case"]["reworks"]) == (
        "closed",
        1,
        1,
    )
    assert status["caught_up"] is (not any(status["behind"].values()))
    assert "text" not in status["report"]


def test_the_status_of_all_adds_up(waggle: Waggle, closed: str) -> None:
    status = waggle.json("status")
    assert status["cases"]["total"] == sum(status["cases"]["by_step"].values()) > 0


def test_what_nobody_knows_is_not_there(waggle: Waggle) -> None:
    for words in (
        ("status", "nothing"),
        ("timeline", "nothing"),
        ("passbook", "nobody"),
        ("accept", "nothing"),
        ("log", "show", "999999999"),
    ):
        assert waggle(*words).code == 1, words


def test_what_goes_wrong_is_the_one_document_too(waggle: Waggle) -> None:
    said = waggle("timeline", "nobody-knows-it", "--json")
    assert (said.code, said.document["exit"]) == (1, 1)
    assert "nobody-knows-it" in said.document["error"]
    assert "nobody-knows-it" in said.err
    assert waggle("timeline", "nobody-knows-it").out == ""


def test_a_house_is_started_once(waggle: Waggle) -> None:
    said = waggle("up", "--json")
    assert (said.code, said.document["exit"]) == (3, 3)
    assert "already" in said.document["error"]


def test_a_unit_sees_its_open_work_without_taking_it(waggle: Waggle) -> None:
    report = submitted(waggle)
    for _ in range(2):
        held = [case["case_id"] for case in waggle.json("work", "street-taoyuan")["open"]]
        assert report in held


def test_an_order_is_taken_once(waggle: Waggle) -> None:
    report = submitted(waggle)
    waggle.json("dispatch", report, "enforcement")

    def taken() -> list[str]:
        orders = waggle.json("work", "enforcement", "--take", "9")["taken"]
        return [order["case_id"] for order in orders]

    assert until(lambda: report in taken() or None)
    assert report not in taken()


def test_following_a_queue_ends_with_ctrl_c_and_loses_nothing(
    waggle: Waggle, living_house: Path
) -> None:
    words = [*WAGGLE, "work", "welfare", "--follow", "--json", "--data", str(living_house)]
    following = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    report = submitted(waggle)
    waggle.json("dispatch", report, "welfare")
    assert following.stdout is not None
    order = json.loads(following.stdout.readline())
    assert order["case_id"] == report
    following.send_signal(signal.SIGINT)
    _, errors = following.communicate(timeout=PATIENCE)
    assert following.returncode == 0, errors
    assert waggle.json("work", "welfare", "--take", "1")["taken"] == []


def test_the_outbox_tells_a_rider_in_order(waggle: Waggle, closed: str) -> None:
    def told() -> list[dict[str, Any]] | None:
        notices: list[dict[str, Any]] = waggle.json("outbox", "--receiver", "rider-closed")[
            "notices"
        ]
        return notices if notices and notices[-1]["kind"] == "points_awarded" else None

    notices = until(told)
    assert notices[0]["kind"] == "report_received"
    assert {(n["receiver"], n["report_id"]) for n in notices} == {("rider-closed", closed)}


def test_a_fact_is_shown_whole_with_its_hash_and_opened_only_when_asked(
    waggle: Waggle, closed: str
) -> None:
    sequence = str(waggle.json("timeline", closed)["facts"][0]["sequence"])
    fact = waggle.json("log", "show", sequence)
    assert fact["intact"]
    assert fact["sealed"] == ["text"]
    assert fact["body"]["text"]["key"] == "rider-closed"
    assert waggle.json("log", "show", sequence, "--open")["body"]["text"] == TEXT
    assert "sealed with the key of rider-closed" in waggle("log", "show", sequence).out


def test_the_tail_is_the_end_of_the_log(waggle: Waggle, closed: str) -> None:
    tail = waggle.json("log", "tail", "-n", "7")
    sequences = [fact["sequence"] for fact in tail["facts"]]
    assert sequences == list(range(tail["head"] - 6, tail["head"] + 1))


def test_the_tail_goes_back_as_far_as_a_type_needs(waggle: Waggle) -> None:
    (published,) = waggle.json("log", "tail", "--type", "RulebookPublished", "-n", "1")["facts"]
    assert published["subject"] == "log.rulebook.fengxi"


def test_the_tail_can_begin_anywhere(waggle: Waggle) -> None:
    facts = waggle.json("log", "tail", "--from", "2", "-n", "3")["facts"]
    assert [fact["sequence"] for fact in facts] == [2, 3, 4]


def test_a_reader_that_has_had_enough_is_no_failure(living_house: Path) -> None:
    words = [*WAGGLE, "log", "tail", "--from", "1", "--follow", "--data", str(living_house)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as following:
        assert following.stdout is not None
        assert following.stderr is not None
        assert b"RulebookPublished" in following.stdout.readline()
        following.stdout.close()
        submitted(Waggle(living_house))
        assert following.wait(timeout=PATIENCE) == 0
        assert following.stderr.read() == b""


@pytest.mark.parametrize("by", ["type", "stream", "actor", "day"])
def test_counts_add_up_to_the_log(waggle: Waggle, by: str) -> None:
    counted = waggle.json("log", "count", "--by", by)
    assert sum(counted["counts"].values()) == counted["total"] > 0
    assert waggle.json("log", "tail")["head"] >= counted["total"]


def test_every_table_is_what_the_log_says(waggle: Waggle, closed: str) -> None:
    said = waggle("rebuild", "--check", "--json")
    assert said.code == 0
    projections = said.document["projections"]
    assert [p["name"] for p in projections] == [p.name for p in PROJECTIONS]
    assert all(p["equal"] and p["digest_live"] == p["digest_rebuilt"] for p in projections)
    assert set(projections[0]) == {
        "name",
        "facts",
        "rows",
        "seconds",
        "digest_live",
        "digest_rebuilt",
        "equal",
    }


def test_rebuilt_tables_take_the_place_of_the_live_ones(waggle: Waggle, closed: str) -> None:
    assert waggle("rebuild", "--only", "router").code == 0
    assert waggle.json("status", closed)["case"]["step"] == "closed"


VERBS = (
    "submit",
    "accept",
    "dispatch",
    "return",
    "resolve",
    "verify",
    "close",
    "status",
    "timeline",
    "asof",
    "replay",
    "export",
    "repeat",
    "work",
    "passbook",
    "examine",
    "ledger check",
    "points grant",
    "points act",
    "points reverse",
    "points appeal",
    "points decide",
    "points adjust",
    "points approve",
    "points decline",
    "points decisions",
    "role give",
    "role end",
    "outbox",
    "rebuild",
    "import messages",
    "log tail",
    "log show",
    "log count",
)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(waggle: Waggle, verb: str) -> None:
    said = waggle(*verb.split(), "--help")
    assert said.code == 0
    assert f"waggle {verb}" in said.out.partition("Examples:")[2]

"""`waggle replay`: history told again to a program, with the bytes that the log has."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.msg import Msg

from cli.replay import RECORDED_AT, SEQUENCE, kind_of, read_speed, waits
from deploy.house import AUDIT_OFFICE, HouseInfo, running_house
from eventlog.connect import connect_nats
from proof.chain import Chains
from proof.entry import LogEntry, entry_of
from tests.cli.test_verbs import submitted
from tests.cli.waggle import Waggle
from tests.houses import PATIENCE, WAGGLE


@pytest.fixture(scope="module")
def house(living_house: Path) -> HouseInfo:
    info = running_house(living_house)
    assert info is not None
    return info


@pytest.fixture(scope="module")
def report(waggle: Waggle) -> str:
    return submitted(waggle, "rider-replay")


def lines(out: str) -> list[LogEntry]:
    return [entry_of(line.encode()) for line in out.splitlines()]


def test_every_fact_is_told_whole_and_in_order(waggle: Waggle, report: str) -> None:
    head = waggle.json("log", "tail")["head"]
    told = lines(waggle("replay", "--to", str(head)).out)
    assert [entry.sequence for entry in told] == list(range(1, head + 1))
    chains = Chains()
    for entry in told:
        assert chains.follow(entry.subject, dict(entry.headers), entry.body) is None
    shown = waggle.json("log", "show", str(head))
    asked = {name for name in shown["headers"] if name.startswith("Nats-Expected-")}
    assert set(dict(told[-1].headers).items()) == {
        item for item in shown["headers"].items() if item[0] not in asked
    }
    assert told[-1].recorded_at.startswith(shown["recorded_at"][:23])


def test_only_what_is_asked_for_is_told(waggle: Waggle, report: str) -> None:
    facts = waggle.json("timeline", report)["facts"]
    first, last = facts[0], facts[-1]
    moments = [datetime.fromisoformat(fact["recorded_at"]) for fact in (first, last)]
    told = lines(waggle("replay", "--from", f"{moments[0]:%FT%T.%f%z}", "--to", last_(last)).out)
    assert told[0].sequence == first["sequence"]
    assert told[-1].sequence == last["sequence"]
    later = f"{moments[0] + timedelta(microseconds=1):%FT%T.%f%z}"
    assert lines(waggle("replay", "--from", later, "--to", last_(last)).out) == told[1:]
    kinds = ("--type", "ReportAccepted", "--type", "CaseOpened")
    told = lines(waggle("replay", *kinds, "--to", last_(last)).out)
    assert {kind_of(entry) for entry in told} == {"ReportAccepted", "CaseOpened"}
    assert waggle("replay", "--from", "999999999").out == ""


def last_(fact: dict[str, Any]) -> str:
    return str(fact["sequence"])


async def test_a_program_hears_history_as_if_it_were_live(
    house: HouseInfo, waggle: Waggle, report: str, living_house: Path
) -> None:
    """By an address and a seed alone, as somebody who is not of the house."""
    seed = str(house.credentials.seed_file(AUDIT_OFFICE))
    nc = await connect_nats(house.nats_url, identity=AUDIT_OFFICE, seed_file=seed)
    mine = f"replay.{AUDIT_OFFICE}.june"
    heard: list[Msg] = []
    ended = asyncio.Event()

    async def hear(message: Msg) -> None:
        ended.set() if message.subject == f"{mine}.end" else heard.append(message)
        if ended.is_set():
            heard.append(message)

    await nc.subscribe(f"{mine}.>", cb=hear)
    await nc.flush()
    process = await asyncio.create_subprocess_exec(
        *(*WAGGLE, "replay", "--nats", house.nats_url, "--seed-file", seed, "--to", "20"),
        *("--to-subject", mine, "--speed", "100000x", "--json"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    await asyncio.wait_for(ended.wait(), PATIENCE)
    *facts, end = heard
    assert json.loads(out) == json.loads(end.data) == {"from": 1, "to": 20, "facts": 20}
    told = lines((await printed(living_house)).decode())
    assert [message.subject for message in facts] == [f"{mine}.{entry.subject}" for entry in told]
    for message, entry in zip(facts, told, strict=True):
        headers = dict(message.headers or {})
        assert headers.pop(SEQUENCE) == str(entry.sequence)
        assert headers.pop(RECORDED_AT) == entry.recorded_at
        assert (headers, message.data) == (dict(entry.headers), entry.body)
    await nc.close()


async def printed(house: Path) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(*WAGGLE, "replay", "--to", "20", "--data", str(house)), stdout=asyncio.subprocess.PIPE
    )
    return (await process.communicate())[0]


def test_ctrl_c_ends_it_cleanly_and_says_where_to_go_on(living_house: Path, report: str) -> None:
    words = [*WAGGLE, "replay", "--speed", "0.000001x", "--data", str(living_house)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    first = entry_of(process.stdout.readline().rstrip(b"\n"))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert first.sequence == 1
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert f"--from {1 + len(out.splitlines()) + 1}" in err.decode()


def test_who_stops_listening_is_no_failure(living_house: Path, report: str) -> None:
    words = " ".join([*WAGGLE, "replay", "--data", str(living_house)])
    piped = ["bash", "-c", f"{words} | head -n 1"]
    done = subprocess.run(piped, capture_output=True, timeout=PATIENCE, check=True)
    assert entry_of(done.stdout.rstrip(b"\n")).sequence == 1
    assert b"Traceback" not in done.stderr


@given(
    nanos=st.lists(st.integers(0, 10**15), min_size=1).map(sorted),
    factor=st.floats(0.001, 1e6),
    gone=st.floats(0, 1e6),
)
def test_the_distances_are_those_of_then_divided(
    nanos: list[int], factor: float, gone: float
) -> None:
    for one in nanos:
        wait = waits(nanos[0], one, factor, gone)
        assert wait >= 0
        due = (one - nanos[0]) / 1e9 / factor
        assert wait == pytest.approx(due - gone) or (wait == 0 and due <= gone)


def test_a_speed_is_a_factor_or_as_fast_as_it_goes() -> None:
    assert [read_speed(text) for text in ("100x", "1", "0.5x", "max")] == [100, 1, 0.5, None]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--speed", "fast"), "a number above 0"),
        (("--speed", "-1x"), "a number above 0"),
        (("--speed", "infx"), "a number above 0"),
        (("--type", "Nothing"), "there is no fact Nothing"),
        (("--from", "soon"), "neither a sequence, nor a moment"),
        (("--to-subject", "log.case.1"), "only below replay.auditor."),
        (("--to-subject", "replay.auditor."), "only below replay.auditor."),
        (("--to-subject", "replay.auditor.>"), "only below replay.auditor."),
        (("--to-subject", "replay.audit-office.x"), "only below replay.auditor."),
        (("--nats", "nats://127.0.0.1:1"), "--seed-file go together"),
        (("--to", "999999999"), "the log ends at sequence"),
    ],
)
def test_what_cannot_be_meant_is_said_and_ends_with_2(
    waggle: Waggle, words: tuple[str, ...], told: str
) -> None:
    said = waggle("replay", *words)
    assert said.code == 2
    assert told in " ".join(said.err.replace("│", " ").split())

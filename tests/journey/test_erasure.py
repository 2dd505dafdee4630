"""A rider is forgotten: nothing personal can be read any more, anywhere, and all else goes on."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest
from nats.js.api import StoreCompression, StreamConfig, StreamSource

from contracts.envelope import Outcome
from contracts.party import EraseRider, ErasureReason, PartyKind, RegisterParty
from contracts.report import SubmitReport
from deploy.databases import KEYS, PROJECTIONS
from deploy.drill import verified
from deploy.streams import streams
from eventlog.asking import ask, command_headers
from eventlog.read import read_stream
from eventlog.whole import WholeClient
from proof.files import LATEST
from tests.cli.test_verbs import somewhere, step_of, until
from tests.cli.waggle import Waggle
from tests.journey.forgetting import (
    checkpointed,
    holds,
    now,
    party,
    read,
    wrapped_key,
)
from tests.journey.house import House, running
from tests.journey.plaintext import found_in, in_files, in_streams, in_tables, merged

pytestmark = pytest.mark.timeout(240)

RIDER = "rider-forgotten"
PLATFORM = "platform-kite"
NAME, PHONE = "陶小满满", "13800008421"
TEXT, TITLE = '桃园路口"垃圾"外溢，污水流到非機動車道', "污水横流的路口"
DROPPED, PARKED = "信箱里的一句悄悄话", "停放着的一句悄悄话"
PHOTO = "photos/2026/forgotten-8421.jpg"
RESULT, LATER = "已按陶小满满所说清运", "她又说不用来了"
SECRET = "whsec_Zm9yZ290dGVuLXNlY3JldC04NDIx"
HOOK = "https://forgotten-8421.example/notices"
WORDS = (NAME, PHONE, TEXT, TITLE, DROPPED, PARKED, PHOTO, RESULT, LATER, SECRET, HOOK)
STREAMS = tuple(str(stream.name) for stream in streams())


@dataclass(frozen=True)
class Forgotten:
    """A house in which a rider was known, and then was erased."""

    house: House
    waggle: Waggle
    closed: str
    open: str
    wrapped: bytes
    before: dict[str, list[str]]
    """Where her words were found before the erasure."""
    key_before: dict[str, list[str]]
    answer: dict[str, Any]
    cached: str | None
    """What a department could read before."""
    place: Path
    """With a backup from before and one from after."""


async def known(house: House) -> None:
    """The rider is registered, drops a report in the inbox, and one is parked unread."""
    told = RegisterParty(
        party_id=RIDER,
        kind=PartyKind.RIDER,
        platform=PLATFORM,
        name=NAME,
        phone=PHONE,
        webhook=HOOK,
        webhook_secret=SECRET,
    )
    async with party(house, PLATFORM) as nc:
        answer, _ = await ask(nc, PLATFORM, told, "register-forgotten")
        assert answer.outcome is Outcome.ACCEPTED
        lat, lng = somewhere()[1::2]
        dropped = {
            "report_id": "dropped-8421",
            "rider_id": RIDER,
            "seen_at": "2026-11-01T08:00:00+08:00",
            "position": {"lat": float(lat), "lng": float(lng)},
            "text": DROPPED,
        }
        body = SubmitReport.model_validate(dropped | {"seen_at": now()}).model_dump_json()
        headers = command_headers("dropped-8421", None)
        await nc.request(f"inbox.{PLATFORM}", body.encode(), headers=headers, timeout=5)
    async with party(house, "intake") as nc:  # as intake parks what it cannot decide
        parked = {"reports": [{"rider_id": RIDER, "text": PARKED}, {"rider_id": "other", "n": 1}]}
        body = json.dumps(parked, ensure_ascii=False)
        await nc.jetstream().publish("parked.intake-inbox", body.encode(), stream="PARK")
        single = json.dumps({"rider_id": RIDER, "text": PARKED})
        await nc.jetstream().publish("parked.intake-inbox", single.encode(), stream="PARK")


async def search(house: House) -> dict[str, list[str]]:
    """Everywhere: files of the house, streams, tables."""
    async with party(house, "provisioner") as nc:
        streams_found = await in_streams(nc.jetstream(timeout=10), STREAMS, WORDS)
    urls = [house.info.admin_url(name) for name in (KEYS, PROJECTIONS)]
    tables = [await in_tables(url, WORDS) for url in urls if url]
    return merged(in_files(house.folder, WORDS), streams_found, *tables)


def submitted(waggle: Waggle, text: str) -> str:
    at = somewhere()
    words = ("submit", "--rider", RIDER, "--service", "exposed-garbage", *at, "--text", text)
    report: str = waggle.json(*words, "--title", TITLE, "--photo", PHOTO)["id"]
    step_of(waggle, report, "dispatched")
    waggle.json("dispatch", report, "sanitation")
    waggle.json("accept", report)
    return report


@pytest.fixture(scope="module")
def forgotten() -> Iterator[Forgotten]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAGGLE_SEAL_SECONDS", "1")
        yield from _forgotten()


def _forgotten() -> Iterator[Forgotten]:
    with running() as house:
        waggle = Waggle(house.folder)
        asyncio.run(known(house))
        closed, still_open = submitted(waggle, TEXT), submitted(waggle, TEXT)
        waggle.json("resolve", closed, "--result", RESULT, "--photo", PHOTO)
        waggle.json("verify", closed, "--passed", "--note", NAME)
        until(lambda: waggle.json("passbook", RIDER)["lines"] or None)
        until(lambda: waggle.json("status", "dropped-8421")["case"])
        wrapped = asyncio.run(wrapped_key(house, RIDER))
        assert wrapped is not None
        asyncio.run(checkpointed(house))
        before, key_before = asyncio.run(search(house)), holds(house, wrapped)
        cached = asyncio.run(read(house, "sanitation", still_open)).text
        place = house.folder.parent
        until(lambda: (house.info.seal_folder / LATEST).is_file() or None)
        waggle.json("backup", str(place / "before"))
        answer = waggle.json("erase", "rider", RIDER, "--reason", "asked")
        waggle.json("backup", str(place / "after"))
        yield Forgotten(
            house, waggle, closed, still_open, wrapped, before, key_before, answer, cached, place
        )


def test_the_officer_is_told_what_was_done(forgotten: Forgotten) -> None:
    answer = forgotten.answer
    assert (answer["outcome"], answer["known"], answer["id"]) == ("accepted", False, RIDER)
    assert (answer["key_destroyed"], answer["key_scrubbed"]) == (True, True)
    assert answer["parked_wiped"] == 2


def test_before_the_search_found_what_was_in_clear_and_the_key(forgotten: Forgotten) -> None:
    """The control: what is to be found is found, on the same house by the same search."""
    assert {text for texts in forgotten.before.values() for text in texts} == {PARKED}
    assert any(place.startswith("nats/store") for place in forgotten.before), "no file"
    assert any(place.startswith("PARK/") for place in forgotten.before), "no stream"
    assert any(place.startswith("postgres/data/base") for place in forgotten.key_before)


async def test_what_stands_in_a_compressed_stream_or_a_table_would_be_found(
    forgotten: Forgotten,
) -> None:
    """The other control: the same search on a stream and a table that do hold a text."""
    house, planted = forgotten.house, "押着韵的一句旁人的话，" * 3
    async with party(house, "intake") as nc:
        await nc.jetstream().publish("parked.control", planted.encode() * 20, stream="PARK")
    async with party(house, "provisioner") as nc:
        js = nc.jetstream(timeout=10)
        source = StreamSource(name="PARK", filter_subject="parked.control")
        await js.add_stream(
            StreamConfig(name="CONTROL", sources=[source], compression=StoreCompression.S2)
        )
        while not (await js.stream_info("CONTROL")).state.messages:
            await asyncio.sleep(0.02)
        assert "CONTROL/1" in await in_streams(js, ["CONTROL"], [planted])
        await js.delete_stream("CONTROL")
    admin = str(house.info.admin_url(PROJECTIONS))
    connection = await asyncpg.connect(admin)
    try:
        await connection.execute(
            "CREATE TABLE public.control AS"
            " SELECT $1::text AS said, place FROM generate_series(1, 9) place",
            planted,
        )
        assert await in_tables(admin, [planted]) == {"public.control": [planted]}
        await connection.execute("CHECKPOINT")
        held = in_files(house.folder / "postgres", [planted])
        assert any("pg_wal" in place for place in held)
        assert any("/base/" in place for place in held)
    finally:
        await connection.execute("DROP TABLE IF EXISTS public.control")
        await connection.close()


@pytest.mark.parametrize("text", WORDS)
def test_every_form_of_a_text_is_known_to_the_search(text: str) -> None:
    for lead in ("", "x", "xx"):
        coded = base64.b64encode(f"{lead}{text}{lead}".encode())
        assert found_in(b'{"box":"' + coded + b'"}', [text])
    assert found_in(json.dumps({"said": text}).encode(), [text])
    assert not found_in(text[:-1].encode(), [text])


async def test_no_file_no_stream_and_no_table_holds_any_of_it(forgotten: Forgotten) -> None:
    await checkpointed(forgotten.house)
    assert await search(forgotten.house) == {}


async def test_the_key_is_in_no_file_of_the_house(forgotten: Forgotten) -> None:
    assert await wrapped_key(forgotten.house, RIDER) is None
    assert holds(forgotten.house, forgotten.wrapped) == {}


def test_a_backup_from_before_holds_words_and_key_and_one_from_after_neither(
    forgotten: Forgotten,
) -> None:
    def key_in(which: str) -> bool:
        table = forgotten.place / f"{which}.keys" / "data_key.csv"
        return forgotten.wrapped.hex() in table.read_text()

    assert in_files(forgotten.place / "before", [PARKED]) == {"streams/PARK.snapshot": [PARKED]}
    assert key_in("before")
    assert in_files(forgotten.place / "after", WORDS) == {}
    assert in_files(forgotten.place / "after.keys", WORDS) == {}
    assert not key_in("after")


def test_an_export_holds_none_of_it_in_any_form(forgotten: Forgotten) -> None:
    forgotten.waggle.json("export", str(forgotten.place / "export"), "--csv", "--jsonl")
    assert in_files(forgotten.place / "export", ["ReportAccepted"]), "it holds the log"
    assert in_files(forgotten.place / "export", WORDS) == {}


def test_what_others_dropped_in_is_still_parked(forgotten: Forgotten) -> None:
    async def left() -> list[dict[str, Any]]:
        async with party(forgotten.house, "provisioner") as nc:
            js = nc.jetstream()
            last = await js.get_last_msg("PARK", "parked.intake-inbox")
            reports: list[dict[str, Any]] = json.loads(last.data or b"")["reports"]
            return reports

    assert asyncio.run(left()) == [{"rider_id": "other", "n": 1}]


def test_the_verbs_show_the_tombstone(forgotten: Forgotten) -> None:
    waggle = forgotten.waggle
    told = [
        waggle("timeline", forgotten.closed, "--json"),
        waggle("status", forgotten.closed, "--json"),
        waggle("outbox", "--json"),
    ]
    assert found_in("\n".join(said.out + said.err for said in told).encode(), WORDS) == []
    first = told[0].document["facts"][0]["body"]
    assert first["text"] == first["photo"] == {"erased": True}
    assert told[1].document["rider_erased_at"]


async def test_the_tables_show_the_tombstone(forgotten: Forgotten) -> None:
    connection = await asyncpg.connect(forgotten.house.info.database_url)
    try:
        row = await connection.fetchrow("SELECT * FROM intake.party WHERE party_id = $1", RIDER)
    finally:
        await connection.close()
    assert row is not None
    assert (row["erased_because"], row["kind"]) == ("asked", "rider")
    assert row["erased_at"] is not None


async def test_a_running_service_forgets_the_key_it_held(forgotten: Forgotten) -> None:
    """Long before what it holds would have grown old by itself."""
    assert forgotten.cached == TEXT
    began = monotonic()
    while (await read(forgotten.house, "sanitation", forgotten.open)).text is not None:
        assert monotonic() - began < 5
        await asyncio.sleep(0.05)


def test_nothing_new_is_written_about_her(forgotten: Forgotten) -> None:
    said = forgotten.waggle("submit", "--rider", RIDER, *somewhere(), "--text", LATER, "--json")
    assert said.code == 1
    assert [reason["code"] for reason in said.document["reasons"]] == ["person_erased"]


def test_the_work_on_her_case_goes_on_without_words_points_or_notices(
    forgotten: Forgotten,
) -> None:
    waggle, case = forgotten.waggle, forgotten.open
    waggle.json("resolve", case, "--result", LATER, "--photo", PHOTO)
    waggle.json("verify", case, "--failed", "--note", LATER)
    waggle.json("resolve", case, "--result", LATER, "--photo", PHOTO)
    waggle.json("verify", case, "--passed", "--note", LATER)
    step_of(waggle, case, "closed")
    facts = waggle.json("timeline", case)["facts"]
    resolved = [fact["body"] for fact in facts if fact["type"] == "WorkResolved"]
    assert [body["result"] for body in resolved] == [{"erased": True}] * 2
    assert [line["report_id"] for line in waggle.json("passbook", RIDER)["lines"]] == [
        forgotten.closed
    ]
    erased_at = forgotten.answer["sequence"]
    notices = [
        fact
        for fact in facts
        if fact["type"].startswith("Notice")
        and fact["body"]["receiver"] == RIDER
        and fact["sequence"] > erased_at + 50
    ]
    assert notices == []


async def test_the_log_still_agrees_with_what_was_signed_before(forgotten: Forgotten) -> None:
    house = forgotten.house
    async with party(house, "auditor", WholeClient) as nc:
        told = await verified(nc.jetstream(timeout=10), house.info.seal_folder, lambda *_: None)
    assert told.problems == ()
    assert 0 < told.covered <= told.facts
    assert told.facts >= forgotten.answer["sequence"]


def test_a_rebuild_needs_no_key_and_gives_the_same_bytes(forgotten: Forgotten) -> None:
    said = forgotten.waggle("rebuild", "--check", "--json")
    assert said.code == 0, said.out + said.err


def test_asked_again_it_is_done_already(forgotten: Forgotten) -> None:
    again = forgotten.waggle.json("erase", "rider", RIDER, "--reason", "account_closed")
    assert (again["outcome"], again["known"]) == ("accepted", True)


def test_only_riders_and_only_with_a_reason_of_the_list(forgotten: Forgotten) -> None:
    assert forgotten.waggle("erase", "rider", RIDER, "--reason", "because").code == 2
    said = forgotten.waggle("erase", "rider", "sanitation", "--reason", "asked", "--json")
    assert said.code == 1
    assert [reason["code"] for reason in said.document["reasons"]] == ["not_a_rider"]


async def test_whenever_intake_is_killed_an_erasure_comes_to_its_end(forgotten: Forgotten) -> None:
    """Killed again and again while twelve riders are erased: fact and key go together."""
    house = forgotten.house
    riders = [f"rider-killed-{n}" for n in range(12)]
    async with party(house, PLATFORM) as nc:
        for rider in riders:
            lat, lng = map(float, somewhere()[1::2])
            report = SubmitReport.model_validate(
                {
                    "report_id": f"of-{rider}",
                    "rider_id": rider,
                    "seen_at": now(),
                    "position": {"lat": lat, "lng": lng},
                    "text": TEXT,
                }
            )
            answer, _ = await ask(nc, PLATFORM, report, report.report_id)
            assert answer.outcome is Outcome.ACCEPTED

    async def kill() -> None:
        for _ in range(3):
            await asyncio.sleep(0.15)
            if pid := house.pid("intake"):
                os.kill(pid, signal.SIGKILL)

    async with party(house, "officer") as nc:
        killing = asyncio.create_task(kill())
        for n, rider in enumerate(riders):
            command = EraseRider(rider_id=rider, reason=ErasureReason.ASKED)
            asking = asyncio.create_task(ask(nc, "officer", command, f"erase-{n}"))
            if n % 3 == 0:  # the officer leaves before the answer comes
                await asyncio.sleep(0.05)
                asking.cancel()
            else:
                answer, _ = await asking
                assert answer.outcome is Outcome.ACCEPTED
                assert await wrapped_key(house, rider) is None
        await killing
    async with party(house, "auditor") as nc:
        js = nc.jetstream()
        for rider in riders:
            facts = [fact.type async for fact in read_stream(js, "party", rider)]
            if "RiderErased" in facts:
                assert facts == ["RiderErased"]
                give_up = monotonic() + 30
                while await wrapped_key(house, rider) is not None:
                    assert monotonic() < give_up
                    await asyncio.sleep(0.05)

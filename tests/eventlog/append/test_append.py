"""Decisions go into the log exactly once, whole, and only where they expect to stand."""

from __future__ import annotations

import asyncio

import pytest
from nats.aio.client import Client
from nats.js.api import DiscardPolicy

from deploy.nats_server import NatsServer
from eventlog.append import (
    Appender,
    Busy,
    Closed,
    Conflict,
    Decision,
    Limits,
    LogFull,
    Rejected,
    Unknown,
    UnsafeLog,
)
from eventlog.append.atomic import MOST_MESSAGES
from tests.eventlog.append.kit import (
    STRANGER,
    Place,
    Site,
    decision,
    end_of,
    insist_on_acknowledged,
    insist_on_order,
    message,
    remake,
    remove,
    whole_log,
)


async def test_a_fact_is_stored_as_it_was_decided(appender: Appender, nc: Client) -> None:
    decided = decision("c1", "a", body="{'文': '暴露垃圾'}".encode())
    appended = await appender.append(decided)
    (stored,) = await whole_log(nc)
    assert appended.sequences == (1,)
    assert appended.hashes == (decided.messages[0].hash,)
    assert not appended.duplicate
    assert stored.body == decided.messages[0].body
    assert decided.messages[0].headers.items() <= stored.headers.items()
    insist_on_order([stored])


async def test_a_stream_id_grows_fact_by_fact(appender: Appender, nc: Client) -> None:
    place = Place()
    for number in range(5):
        appended = await appender.append(decision(f"c{number}", "a", at=place))
        place = Place(appended.sequences[-1], appended.hashes[-1])
    assert place == await end_of(nc, "log.report.a")
    insist_on_order(await whole_log(nc))


async def test_facts_on_several_stream_ids_are_one_commit(appender: Appender, nc: Client) -> None:
    appended = await appender.append(decision("c1", "a", "b", "c", facts=2))
    assert appended.sequences == (1, 2, 3, 4, 5, 6)
    log = await whole_log(nc)
    assert [f.subject[-1] for f in log] == list("aabbcc")
    insist_on_order(log)


async def test_a_decision_on_an_old_state_changes_nothing(appender: Appender, nc: Client) -> None:
    first = await appender.append(decision("c1", "a"))
    with pytest.raises(Conflict) as conflict:
        await appender.append(decision("c2", "a"))
    assert conflict.value.actual == {"log.report.a": first.sequences[-1]}
    assert len(await whole_log(nc)) == 1


async def test_one_stale_stream_id_refuses_the_whole_decision(
    appender: Appender, nc: Client
) -> None:
    await appender.append(decision("c1", "b"))
    with pytest.raises(Conflict) as conflict:
        await appender.append(decision("c2", "a", "b", facts=2))
    assert conflict.value.actual == {"log.report.b": 1}
    assert len(await whole_log(nc)) == 1
    decided = decision("c2", "a", "b", at={"log.report.b": await end_of(nc, "log.report.b")})
    assert (await appender.append(decided)).sequences == (2, 3)
    insist_on_order(await whole_log(nc))


async def test_a_place_that_was_never_there_is_a_conflict(appender: Appender) -> None:
    with pytest.raises(Conflict) as conflict:
        await appender.append(decision("c1", "a", at=Place(41)))
    assert conflict.value.actual == {"log.report.a": 0}


@pytest.mark.parametrize("facts", [1, 3])
async def test_the_same_decision_again_answers_with_what_is_stored(
    appender: Appender, nc: Client, facts: int
) -> None:
    decided = decision("c1", "a", facts=facts)
    first = await appender.append(decided)
    again = await appender.append(decided)
    assert again.duplicate
    assert (again.sequences, again.hashes) == (first.sequences, first.hashes)
    assert len(await whole_log(nc)) == facts


@pytest.mark.parametrize("facts", [1, 3])
async def test_it_is_known_again_after_others_wrote_behind_it(
    appender: Appender, nc: Client, facts: int
) -> None:
    decided = decision("c1", "a", facts=facts)
    first = await appender.append(decided)
    for number in range(3):
        place = await end_of(nc, "log.report.a")
        await appender.append(decision(f"other{number}", "a", at=place))
    again = await appender.append(decided)
    assert again.duplicate
    assert (again.sequences, again.hashes) == (first.sequences, first.hashes)
    insist_on_order(await whole_log(nc))


async def test_deciding_anew_with_a_used_command_answers_with_the_first_decision(
    appender: Appender, nc: Client
) -> None:
    """The server drops the new body silently: what is stored must be the answer."""
    first = await appender.append(decision("c1", "a", facts=2, body=b'{"first":1}'))
    place = await end_of(nc, "log.report.a")
    again = await appender.append(decision("c1", "a", at=place, body=b'{"second":2}'))
    assert again.duplicate
    assert (again.sequences, again.hashes) == (first.sequences, first.hashes)
    assert len(await whole_log(nc)) == 2


async def test_deciding_more_with_a_used_command_is_a_conflict(
    appender: Appender, nc: Client
) -> None:
    await appender.append(decision("c1", "a"))
    place = await end_of(nc, "log.report.a")
    with pytest.raises(Conflict):
        await appender.append(decision("c1", "a", at=place, facts=2))
    assert len(await whole_log(nc)) == 1


async def test_a_full_log_says_so_and_keeps_what_it_has(
    site: Site, nc: Client, server: NatsServer
) -> None:
    await remake(site, log_bytes=20_000)
    appender = await Appender.open(nc)
    acknowledged = {}
    full: LogFull | None = None
    for number in range(100):
        name = f"c{number}"
        try:
            acknowledged[name] = await appender.append(decision(name, name, body=b"x" * 1000))
        except LogFull as error:
            full = error
            break
    assert "maximum bytes" in str(full)
    assert acknowledged
    assert appender.stats.full == 1
    log = await whole_log(nc)
    assert len(log) == len(acknowledged)
    insist_on_acknowledged(log, acknowledged)
    await appender.close()


async def test_what_waits_beyond_the_limit_is_refused_at_once(nc: Client) -> None:
    appender = await Appender.open(nc, limits=Limits(queue=20))
    futures = [appender.submit(decision(f"c{n}", f"id{n}")) for n in range(20)]
    with pytest.raises(Busy, match="20 decisions wait"):
        await appender.append(decision("c20", "id20"))
    assert len(await asyncio.gather(*futures)) == 20
    assert (await appender.append(decision("c20", "id20"))).sequences == (21,)
    assert appender.stats.busy == 1
    await appender.close()


async def test_closing_brings_to_an_end_what_was_taken(nc: Client) -> None:
    appender = await Appender.open(nc)
    futures = [appender.submit(decision(f"c{n}", f"id{n}", facts=2)) for n in range(50)]
    await appender.close()
    assert all(future.result().sequences for future in futures)
    assert len(await whole_log(nc)) == 100
    with pytest.raises(Closed):
        await appender.append(decision("late", "late"))


async def test_a_caller_that_leaves_before_sending_leaves_nothing(
    appender: Appender, nc: Client
) -> None:
    gone = appender.submit(decision("c1", "a"))
    gone.cancel()
    assert (await appender.append(decision("c2", "a"))).sequences == (1,)
    assert [f.command_id for f in await whole_log(nc)] == ["c2"]


async def test_the_largest_decision_is_stored_whole(appender: Appender, nc: Client) -> None:
    appended = await appender.append(decision("c1", "a", facts=MOST_MESSAGES))
    assert len(appended.sequences) == MOST_MESSAGES
    insist_on_order(await whole_log(nc))


async def test_writing_without_the_right_to_is_never_called_stored(site: Site, nc: Client) -> None:
    """A violation reaches the client only as silence."""
    appender = await Appender.open(nc, limits=Limits(budget=0.5, timeout=0.2))
    foreign = message("c1", 0, "log.case.a")
    with pytest.raises(Exception, match="no answer in time"):
        await appender.append(Decision("c1", (foreign,), {"log.case.a": 0}))
    assert await whole_log(nc) == []
    await appender.close()


async def test_an_error_that_only_a_bug_explains_is_said_aloud(site: Site, nc: Client) -> None:
    """Here: somebody switched batches off behind our back."""
    await remake(site, allow_atomic=False)
    appender = Appender(nc, replicated=False)
    await appender.start()
    with pytest.raises(Rejected, match="10174"):
        await appender.append(decision("c1", "a", facts=2))
    await appender.close()


async def test_a_stream_that_could_forget_is_not_taken_for_the_log(site: Site, nc: Client) -> None:
    forgetful: list[tuple[str, object]] = [
        ("deny_delete", False),
        ("deny_purge", False),
        ("allow_atomic", False),
        ("allow_direct", False),
        ("discard", DiscardPolicy.OLD),
        ("max_age", 3600.0),
        ("max_msgs", 1000),
        ("max_msgs_per_subject", 10),
        ("max_bytes", -1),
        ("subjects", ["log.>", "more.>"]),
    ]
    for setting, value in forgetful:
        await remake(site, **{setting: value})
        with pytest.raises(UnsafeLog, match=f"{setting} must"):
            await Appender.open(nc)


async def test_without_a_log_there_is_no_appender(site: Site, nc: Client) -> None:
    await remove(site)
    with pytest.raises(UnsafeLog, match="provision"):
        await Appender.open(nc)


async def test_a_log_that_nobody_may_ask_about_is_not_appended_to(
    site: Site, server: NatsServer
) -> None:
    """Another room's credentials would do; one that may not even look does not."""
    nc = await site.connect(STRANGER)
    with pytest.raises(UnsafeLog, match="may not ask"):
        await Appender.open(nc, limits=Limits(budget=0.3, timeout=0.2))


async def test_if_sending_itself_fails_the_callers_are_told(nc: Client) -> None:
    """A bug in the client library must not leave anybody waiting."""
    appender = await Appender.open(nc)
    appender._wire.send = _broken  # type: ignore[method-assign]
    futures = [appender.submit(decision(f"c{n}", f"id{n}")) for n in range(3)]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert all(isinstance(result, Unknown) for result in results)
    with pytest.raises(Closed):
        await appender.append(decision("late", "late"))
    await appender.close()


async def _broken(attempts: object) -> None:
    raise RuntimeError("broken")

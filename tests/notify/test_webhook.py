"""Signed POSTs to a real receiver on this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from contracts.notice import Channel, RecordDelivery
from services.notify.channels import Webhook, signed
from services.notify.delivery import Again, Delivered, Failed, settled
from services.notify.directory import Address
from tests.notify.given import NOON, a_notice
from tests.notify.receiver import SECRET, receiving


async def test_a_notice_arrives_signed_and_whole() -> None:
    async with receiving(200) as receiver, Webhook(allow_private=True) as webhook:
        assert await webhook.send(a_notice(), receiver.address) == Delivered()
    assert receiver.ids == ["n-1"]
    assert receiver.got == [
        {
            "type": "notice.report_received",
            "timestamp": NOON.astimezone(UTC).isoformat(),
            "data": a_notice().model_dump(mode="json"),
        }
    ]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_delivered(status: int) -> None:
    async with receiving(status) as receiver, Webhook(allow_private=True) as webhook:
        assert await webhook.send(a_notice(), receiver.address) == Delivered()


async def test_a_receiver_that_fails_twice_is_told_at_the_third_try_and_knows_it_as_one() -> None:
    waits: list[float] = []
    async with receiving(500, 500, 200) as receiver, Webhook(allow_private=True) as webhook:
        for attempt in (1, 2, 3):
            outcome = await webhook.send(a_notice(), receiver.address)
            step = settled(a_notice(), Channel.WEBHOOK, outcome, attempt=attempt, jitter=0.5)
            if isinstance(step, Again):
                waits.append(step.seconds)
    assert waits == [1, 5]
    assert isinstance(step, RecordDelivery)
    assert step.attempts == 3
    assert receiver.ids == ["n-1", "n-1", "n-1"]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_other_statuses_are_tried_again(status: int) -> None:
    async with receiving(status) as receiver, Webhook(allow_private=True) as webhook:
        outcome = await webhook.send(a_notice(), receiver.address)
    assert outcome == Failed(f"HTTP status {status}")


async def test_410_switches_off_at_once() -> None:
    async with receiving(410) as receiver, Webhook(allow_private=True) as webhook:
        outcome = await webhook.send(a_notice(), receiver.address)
    assert outcome == Failed("410: the receiver wants no more", final=True)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with receiving(200) as other:
        away = {"location": other.url}
        async with (
            receiving(status, headers=away) as receiver,
            Webhook(allow_private=True) as webhook,
        ):
            outcome = await webhook.send(a_notice(), receiver.address)
    assert outcome == Failed(f"HTTP status {status}")
    assert other.got == []


async def test_a_receiver_that_does_not_answer_in_time_is_tried_again() -> None:
    async with (
        receiving(200, seconds=5) as receiver,
        Webhook(allow_private=True, timeout=0.2) as webhook,
    ):
        assert await webhook.send(a_notice(), receiver.address) == Failed("no answer within 0.2 s")


async def test_a_receiver_that_is_not_there_is_tried_again(
    unused_tcp_port_factory: Callable[[], int],
) -> None:
    address = Address(f"http://127.0.0.1:{unused_tcp_port_factory()}/", SECRET)
    async with Webhook(allow_private=True) as webhook:
        outcome = await webhook.send(a_notice(), address)
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("no connection: ")
    assert not outcome.final


async def test_a_receiver_that_hangs_up_is_tried_again() -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Webhook(allow_private=True) as webhook:
        outcome = await webhook.send(a_notice(), Address(f"http://127.0.0.1:{port}/", SECRET))
    assert isinstance(outcome, Failed)
    assert not outcome.final


async def test_a_receiver_that_speaks_no_tls_is_tried_again() -> None:
    async with receiving(200) as receiver, Webhook(allow_private=True) as webhook:
        address = Address(receiver.url.replace("http:", "https:"), SECRET)
        outcome = await webhook.send(a_notice(), address)
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("no safe connection: ")
    assert not outcome.final


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_a_private_address_is_never_connected_to(host: str) -> None:
    async with receiving(200) as receiver:
        port = receiver.url.split(":")[2]
        async with Webhook() as webhook:
            outcome = await webhook.send(a_notice(), Address(f"https://{host}:{port}", SECRET))
    assert outcome == Failed(
        "the address is private, or not one that notices are posted to", final=True
    )
    assert receiver.got == []


async def test_even_where_private_addresses_are_open_those_of_the_machine_room_are_not() -> None:
    async with Webhook(allow_private=True, timeout=3) as webhook:
        outcome = await webhook.send(a_notice(), Address("http://169.254.169.254/", SECRET))
    assert isinstance(outcome, Failed)
    assert outcome.final


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://kite.example/", "the address does not begin with https:// and a host"),
        ("ftp://kite.example/", "the address does not begin with https:// and a host"),
        ("file:///etc/passwd", "the address does not begin with https:// and a host"),
        ("https://", "the address does not begin with https:// and a host"),
        ("kite.example", "the address does not begin with https:// and a host"),
        ("https://kite.example:port/", "the address is not a URL"),
        ("https://[::1/", "the address is not a URL"),
    ],
)
async def test_an_unusable_address_is_not_tried_again(url: str, reason: str) -> None:
    async with Webhook() as webhook:
        outcome = await webhook.send(a_notice(), Address(url, SECRET))
    assert outcome == Failed(reason, final=True)


@pytest.mark.parametrize("host", [f"{'a' * 64}.example", "a..example", "2130706433", "0x7f.1"])
async def test_a_host_that_cannot_be_is_not_tried_again(host: str) -> None:
    async with Webhook() as webhook:
        outcome = await webhook.send(a_notice(), Address(f"https://{host}/", SECRET))
    assert isinstance(outcome, Failed)
    assert outcome.final


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!", "whsec_A"])
async def test_an_unusable_secret_is_not_tried_again_and_not_repeated(secret: str) -> None:
    async with Webhook() as webhook:
        outcome = await webhook.send(a_notice(), Address("https://kite.example/", secret))
    assert outcome == Failed("the signing secret is not whsec_ and base64", final=True)


def test_a_signature_is_good_for_one_secret_one_id_one_moment_and_one_body() -> None:
    now = datetime.now(timezone(timedelta(hours=8)))
    headers, body = signed(a_notice(), SECRET, now)
    assert Verifier(SECRET).verify(body, headers)["data"]["notice_id"] == "n-1"
    for changed in (
        {"webhook-id": "n-2"},
        {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)},
    ):
        with pytest.raises(WebhookVerificationError):
            Verifier(SECRET).verify(body, headers | changed)
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(body.replace(b"rider-01", b"rider-02"), headers)
    with pytest.raises(WebhookVerificationError):
        Verifier("whsec_" + "QUJD" * 8).verify(body, headers)


def test_a_secret_without_padding_is_the_same_secret() -> None:
    now = datetime.now(UTC)
    padded, _ = signed(a_notice(), "whsec_c2VjcmV0cw==", now)
    bare, _ = signed(a_notice(), "whsec_c2VjcmV0cw", now)
    assert padded == bare


def test_chinese_is_sent_as_it_is_written() -> None:
    _, body = signed(a_notice(), SECRET, NOON)
    assert "您上报的“暴露垃圾”已收到。" in body.decode()
    assert json.loads(body)["data"]["title"] == "上报已收到"


async def test_many_notices_go_at_the_same_time_and_each_arrives() -> None:
    async with receiving(200, seconds=0.05) as receiver, Webhook(allow_private=True) as webhook:
        sent = (webhook.send(a_notice(f"n-{n}"), receiver.address) for n in range(300))
        outcomes = await asyncio.gather(*sent)
    assert set(outcomes) == {Delivered()}
    assert sorted(receiver.ids) == sorted(f"n-{n}" for n in range(300))

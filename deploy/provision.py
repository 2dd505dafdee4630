"""Bringing streams, consumers, rules and parties about. Safe to run at every start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError, ServiceUnavailableError

from contracts.envelope import Answer, Command, Outcome, log_subject
from contracts.party import PartyKind, RegisterParty
from contracts.rulebook import DocumentKind, PublishRulebook, Rulebook, RulebookPublished
from deploy.retention import Days
from deploy.streams import DAYS, Durable, durables, streams
from eventlog.asking import ask
from eventlog.read import head, read_stream

log = structlog.get_logger()
PROVISIONER: Final = "provisioner"
PATIENCE: Final = 80
"""Quarters of a second that streams may be out of reach while a cluster forms."""


class NotProvisioned(Exception):
    """The house could not be set up: what was refused, and why."""


async def provision_streams(
    js: JetStreamContext,
    *,
    replicas: int = 1,
    log_bytes: int | None = None,
    days: Days = DAYS,
) -> None:
    """Create what is missing; bring what differs to the declaration."""
    declared = (
        streams(replicas=replicas, days=days)
        if log_bytes is None
        else streams(replicas=replicas, log_bytes=log_bytes, days=days)
    )
    for config in declared:
        await _provide_stream(js, config)


async def provision_consumers(
    js: JetStreamContext, units: Iterable[str], platforms: Iterable[str]
) -> None:
    """Create or update every durable of the house."""
    for durable in durables(units, platforms):
        await _provide_durable(js, durable)


async def publish_rulebook(nc: Client, document: Mapping[str, Any]) -> Answer | None:
    """Put the documents in force that are newer than what is published; None where none is.

    Raises `NotProvisioned` when they are refused.
    """
    name = str(document["routing"]["rulebook"])
    published = [r.body async for r in read_stream(nc.jetstream(timeout=10), "rulebook", name)]
    last = {f.kind: f.version for f in published if isinstance(f, RulebookPublished)}
    newer = {
        kind: part
        for kind, part in document.items()
        if part["version"] > last.get(DocumentKind(kind), 0)
    }
    if not newer:
        return None
    versions = ".".join(f"{kind}-{part['version']}" for kind, part in newer.items())
    return await _insist(nc, PublishRulebook(document=newer), f"rulebook.{name}.{versions}")


async def register_parties(nc: Client, book: Rulebook, officers: Sequence[str]) -> None:
    """Make the units and platforms of a rulebook known, and the officers.

    What is known of one already stays.
    """
    units = [
        RegisterParty(party_id=u.code, kind=PartyKind.UNIT, language=u.language) for u in book.units
    ]
    platforms = [RegisterParty(party_id=p.code, kind=PartyKind.PLATFORM) for p in book.platforms]
    appointed = [RegisterParty(party_id=one, kind=PartyKind.OFFICER) for one in officers]
    for command in (*units, *platforms, *appointed):
        if not await head(nc.jetstream(timeout=10), (log_subject("party", command.party_id),)):
            await _insist(nc, command, f"register.{command.party_id}")


async def _insist(nc: Client, command: Command, command_id: str) -> Answer:
    answer, _ = await ask(nc, PROVISIONER, command, command_id)
    if answer.outcome is not Outcome.ACCEPTED:
        reasons = "\n".join(f"  {r.field or r.code}: {r.detail}" for r in answer.reasons)
        raise NotProvisioned(f"{type(command).__name__} {command_id}: {answer.outcome}\n{reasons}")
    return answer


async def _provide_stream(js: JetStreamContext, config: StreamConfig) -> None:
    """Have one stream as declared. A cluster that just started is given time to find itself."""
    for _ in range(PATIENCE):
        try:
            await _try_stream(js, config)
        except (ServiceUnavailableError, TimeoutError):
            await asyncio.sleep(0.25)
        else:
            return
    await _try_stream(js, config)


async def _try_stream(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        there = (await js.stream_info(str(config.name))).config
    except NotFoundError:
        await js.add_stream(config)
        log.info("stream_created", stream=config.name)
        return
    wanted, given = config.as_dict(), there.as_dict()
    if changed := {
        key for key, value in wanted.items() if value is not None and given.get(key) != value
    }:
        await js.update_stream(config)
        log.info("stream_updated", stream=config.name, changed=sorted(changed))


async def _provide_durable(js: JetStreamContext, durable: Durable) -> None:
    await js.add_consumer(durable.stream, durable.config)

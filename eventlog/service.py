"""FastStream wiring with safe settings: the only place that spells them.

A handler of ours returns at once and the work goes on in a task: so FastStream's subscriber
stays sequential and cheap, many commands gather for one group commit, and an answer or an
acknowledgement leaves only when the fact is in the log. What waits is bounded: beyond it a
command is answered "busy", and a reaction is not delivered (`max_ack_pending`).
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import asyncpg
import structlog
from faststream import AckPolicy, FastStream
from faststream.nats import JStream, NatsBroker
from faststream.nats.security import NatsNKey
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import BaseModel, ValidationError

from contracts.envelope import (
    Answer,
    Command,
    Fact,
    Header,
    Issued,
    Outcome,
    Reason,
    Recorded,
    Refused,
)
from eventlog.append import Appender, Busy, LogFull
from eventlog.connect import broker_options, connect_postgres, read_headers_fast
from eventlog.decider import Decider
from eventlog.deliveries import TRANSIENT, Deliveries, DeliveryHandler, NotReady
from eventlog.execute import Execution
from eventlog.health import Check, Health, nats_healthz
from eventlog.message import LOG
from eventlog.read import recorded_from
from eventlog.receiving import about, issued_from, problems
from eventlog.sealing import KeyStore, read_master_key
from eventlog.settings import Settings
from eventlog.standing import Standing
from eventlog.tasks import end

log = structlog.get_logger()
C = TypeVar("C", bound=Command)
S = TypeVar("S")
R = TypeVar("R")

WAITING_COMMANDS: Final = 2_000
"""Commands that a process looks at at the same time; the next one is answered "busy"."""
GRACE_SECONDS: Final = 10.0
"""How long a stopping service waits for what it has begun."""

Handled = tuple[BaseModel, bool]
"""The reply to a command, and whether it had been decided before this request."""
CommandHandler = Callable[[Issued[C]], Awaitable[Handled]]
FactHandler = Callable[[Recorded], Awaitable[None]]
H = TypeVar("H")
Wire = Callable[[H], H]
"""A decorator that subscribes a handler and gives it back."""


UNTOUCHED: Final = (Busy, LogFull, NotReady)
"""Of what passes by itself, what certainly wrote nothing."""


async def _raw(message: Any) -> Msg:
    """FastStream decoder: hand on the message itself."""
    raw: Msg = message.raw_message
    return raw


class Service:
    """One process of one room: its connections, its subscribers, its health."""

    def __init__(self, room: str, settings: Settings) -> None:
        self.room = room
        self.settings = settings
        self.broker = NatsBroker(
            security=NatsNKey(settings.nkey_seed_file),
            apply_types=False,
            logger=None,
            decoder=_raw,
            ack_policy=AckPolicy.MANUAL,
            **broker_options(settings),
        )
        self.checks: dict[str, Check] = {}
        self.nc: Client
        self.js: JetStreamContext
        self.appender: Appender
        self.keys: KeyStore
        self._pool: asyncpg.Pool
        self._created: Any = None
        self._standing: list[Standing[Any]] = []
        self._appenders: list[Appender] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, room: str, settings: Settings) -> AsyncIterator[Service]:
        """A connected service: wire its subscribers, then `run` it."""
        service = cls(room, settings)
        await service._connect()
        try:
            yield service
        finally:
            await service._close()

    def execution(self, decider: Decider[S, R]) -> Execution[S, R]:
        """What carries out the commands of one stream of this room."""
        return Execution(
            decider, room=self.room, appender=self.appender, js=self.js, keys=self.keys
        )

    async def appender_for(self, stream: str) -> Appender:
        """What writes to another stream that is kept as the log is; closed with the service."""
        appender = await Appender.open(self.nc, stream=stream)
        self._appenders.append(appender)
        return appender

    async def standing(
        self,
        subjects: tuple[str, ...],
        initial: S,
        evolve: Callable[[S, Recorded], S],
        *,
        needed: str | None = None,
    ) -> Standing[S]:
        """A state kept current in memory; not ready while what is `needed` is empty."""
        standing = Standing(subjects, initial, evolve)
        await standing.start(self.js)
        self._standing.append(standing)
        if needed:

            async def filled() -> str | None:
                return (
                    None
                    if standing.value != initial
                    else f"no {needed} on {', '.join(subjects)} yet"
                )

            self.checks[needed] = filled
        return standing

    def command(self, kind: type[C]) -> Wire[CommandHandler[C]]:
        """Carry a command: `cmd.<any party>.<room>.<command>`, shared by the room's processes."""
        subject = f"cmd.*.{self.room}.{kind.token}"
        subscriber = self.broker.subscriber(subject, queue=self.room, no_reply=True)

        def wire(handler: CommandHandler[C]) -> CommandHandler[C]:
            async def take(raw: Msg) -> None:
                if len(self._tasks) >= WAITING_COMMANDS:
                    await raw.respond(_too_busy(kind, raw))
                else:
                    self._spawn(self._answer(raw, kind, handler))

            subscriber(take)
            return handler

        return wire

    def reaction(self, name: str, *hears: type[Fact]) -> Wire[FactHandler]:
        """React to facts through the durable `<room>-<name>`; acknowledged when it is done."""

        def wire(handler: FactHandler) -> FactHandler:
            async def work(raw: Msg) -> None:
                await handler(recorded_from(raw))

            self.deliveries(name, LOG, *hears)(work)
            return handler

        return wire

    def deliveries(self, name: str, stream: str, *hears: type[Fact]) -> Wire[DeliveryHandler]:
        """Take what the durable `<room>-<name>` delivers; of facts, those that it `hears`."""
        durable = f"{self.room}-{name}"
        subscriber = self.broker.subscriber(
            f"deliver.{self.room}.{name}",
            queue=durable,
            stream=JStream(stream, declare=False),
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
        )

        async def exists() -> str | None:
            """Without it nothing is delivered, and nobody is told: the subscription just waits."""
            try:
                await self.js.consumer_info(stream, durable)
            except NotFoundError:
                return f"{stream} has no durable {durable}: the next `waggle up` makes it again"
            return None

        self.checks[f"durable_{name}"] = exists

        def wire(handler: DeliveryHandler) -> DeliveryHandler:
            deliveries = Deliveries(durable, self.js, self._spawn, handler, hears)
            subscriber(deliveries.take)
            sifted = deliveries.sift(subscriber.consume)
            subscriber.consume = sifted  # type: ignore[method-assign, assignment]
            return handler

        return wire

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; then let what was begun come to its end."""
        _collect_rarely()
        health = Health(self._all_checks())
        await health.start(self.settings.health_port)
        try:
            log.info("service_started", room=self.room)
            await FastStream(self.broker, logger=None).run()
        finally:
            await health.stop()
            log.info("service_stopped", room=self.room)

    async def settled(
        self, kind: type[Command], issued: Issued[Any], work: Awaitable[Handled]
    ) -> Handled:
        """What the work came to: there is an answer whatever happens."""
        try:
            return await work
        except Refused as refusal:
            return Answer(outcome=Outcome.REFUSED, id=about(issued), reasons=refusal.reasons), False
        except TRANSIENT as error:
            log.warning(
                "undecided",
                command=kind.__name__,
                id=about(issued),
                command_id=issued.command_id,
                error=repr(error),
            )
            outcome = Outcome.BUSY if isinstance(error, UNTOUCHED) else Outcome.UNKNOWN
            detail = f"{str(error) or type(error).__name__}; send it again, unchanged"
        except Exception:
            log.exception(
                "command_broke",
                command=kind.__name__,
                id=about(issued),
                command_id=issued.command_id,
            )
            outcome = Outcome.UNKNOWN
            detail = f"{self.room} broke on it; its log tells more under {issued.command_id}"
        return Answer(
            outcome=outcome, id=about(issued), reasons=(Reason(code=outcome, detail=detail),)
        ), False

    async def handled(
        self,
        raw: Msg,
        subject: str,
        kind: type[C],
        handler: CommandHandler[C],
    ) -> Handled:
        """The reply to a request that came on `subject`."""
        try:
            issued = issued_from(subject, raw.headers, raw.data, kind)
        except ValidationError as error:
            return Answer(outcome=Outcome.INVALID, id="", reasons=problems(error)), False
        except Refused as error:
            return Answer(outcome=Outcome.INVALID, id="", reasons=error.reasons), False
        return await self.settled(kind, issued, handler(issued))

    async def _connect(self) -> None:
        await self.broker.connect()
        self.nc = self.broker.config.connection_state.connection
        read_headers_fast(self.nc)
        self.js = self.nc.jetstream(timeout=5)
        self.appender = await self.appender_for(LOG)
        self._pool = await connect_postgres(self.settings.keys_url, tidy=False)
        self.keys = KeyStore(self._pool, read_master_key(self.settings.master_key_file))
        self._listener = asyncio.create_task(self.keys.keep_listening())

    async def _close(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
        for standing in self._standing:
            await standing.stop()
        for appender in self._appenders:
            await appender.close()
        await self.broker.stop()
        await end(self._listener)
        await self._pool.close()

    def _all_checks(self) -> dict[str, Check]:
        async def connected() -> str | None:
            return None if self.nc.is_connected else "not connected to NATS"

        async def key_store() -> str | None:
            await self._pool.fetchval("select 1")
            return None

        async def stream() -> str | None:
            created = (await self.js.stream_info(LOG)).created
            self._created = self._created or created
            return (
                None
                if created == self._created
                else f"the stream {LOG} is another one since {created}"
            )

        server = nats_healthz(self.settings.nats_monitor_url)
        own: dict[str, Check] = {"nats": connected, "nats_server": server, "log": stream}
        return {**own, "key_store": key_store, **self.checks}

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """What broke outside a handler (a connection lost while answering) is delivered again."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.warning("task_broke", error=repr(error))

    async def _answer(self, raw: Msg, kind: type[C], handler: CommandHandler[C]) -> None:
        reply, known = await self.handled(raw, raw.subject, kind, handler)
        if raw.reply:
            headers = {Header.KNOWN: "true"} if known else None
            await self.nc.publish(
                raw.reply, reply.__pydantic_serializer__.to_json(reply), headers=headers
            )


def _collect_rarely() -> None:
    """Tell the garbage collector that what lives now stays, and to look for cycles rarely.

    A service keeps many views of stream ids; the default goes through all of them every few
    hundred messages and takes half the processor's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def _too_busy(kind: type[Command], raw: Msg) -> bytes:
    detail = f"{WAITING_COMMANDS} commands wait; send {kind.__name__} again, unchanged, in a moment"
    reason = Reason(code=Outcome.BUSY, detail=detail)
    given = (raw.headers or {}).get(Header.ID, "")
    return Answer(outcome=Outcome.BUSY, id=given, reasons=(reason,)).model_dump_json().encode()

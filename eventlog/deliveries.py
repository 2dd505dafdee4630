"""What a durable delivers: acknowledged when it is done, tried again, or parked with its reason.

Nothing is ever dropped: what passes by itself is tried again without end, what breaks again and
again is parked, and what a rule refuses has been answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import asyncpg
import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from contracts.envelope import Fact, Header, Refused, Unreadable
from eventlog.append import Busy, Closed, LogFull, Unknown
from eventlog.execute import Contended
from eventlog.receiving import parked_headers

log = structlog.get_logger()

DeliveryHandler = Callable[[Msg], Awaitable[None]]
Spawn = Callable[[Coroutine[Any, Any, None]], None]

POISON_TRIES: Final = 3
"""How often a reaction that breaks is tried before its fact is parked."""
RETRY_SECONDS: Final = 1.0


class Later(Exception):
    """A reaction asks to be called again in `seconds`; not a failure."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


class NotReady(Exception):
    """The room lacks something it needs to decide, such as a rulebook in force."""


TRANSIENT: Final = (
    Unknown,
    Contended,
    Busy,
    Closed,
    LogFull,
    NotReady,
    OSError,
    TimeoutError,
    nats.errors.Error,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that died in the middle of something
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
"""What passes by itself: tried again without end, never parked."""


class Deliveries:
    """The messages of one durable, each handed on at once."""

    def __init__(
        self,
        durable: str,
        js: JetStreamContext,
        spawn: Spawn,
        handler: DeliveryHandler,
        hears: tuple[type[Fact], ...] = (),
    ) -> None:
        """`hears` names the facts that the handler acts on; others are acknowledged unread."""
        self._durable = durable
        self._js = js
        self._spawn = spawn
        self._handler = handler
        self._types = frozenset(f"waggle.{fact.stream}.{fact.__name__}" for fact in hears)
        self._in_hand: set[int] = set()

    async def take(self, raw: Msg) -> None:
        """Begin with a message.

        What takes longer than `ack_wait` is delivered again while it is in hand. It is not begun
        twice, since under load that would breed load: its answer will come.
        """
        sequence = raw.metadata.sequence.stream
        if sequence not in self._in_hand:
            self._in_hand.add(sequence)
            self._spawn(self._carry(raw, sequence))

    def sift(self, consume: DeliveryHandler) -> DeliveryHandler:
        """`consume` for what the handler acts on; every other fact is acknowledged unread.

        Most facts are another reaction's: passing them on first costs more than the whole look.
        """
        if not self._types:
            return consume

        async def sifted(raw: Msg) -> None:
            if (raw.headers or {}).get(Header.TYPE) in self._types:
                await consume(raw)
            else:
                await raw.ack()

        return sifted

    async def _carry(self, raw: Msg, sequence: int) -> None:
        try:
            await self._settle(raw)
        finally:
            self._in_hand.discard(sequence)

    async def _settle(self, raw: Msg) -> None:
        try:
            await self._handler(raw)
            await raw.ack()
        except Refused as refusal:
            log.info("reaction_refused", **self._place(raw), reason=str(refusal))
            await raw.ack()
        except Later as later:
            await raw.nak(delay=later.seconds)
        except TRANSIENT as error:
            log.warning("reaction_delayed", **self._place(raw), error=repr(error))
            await raw.nak(delay=RETRY_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever broke, the fact is kept
            tries = raw.metadata.num_delivered
            log.warning("reaction_broke", **self._place(raw), tries=tries, error=repr(error))
            if isinstance(error, Unreadable) or tries >= POISON_TRIES:
                await self._park(raw, error)
                await raw.ack()
            else:
                await raw.nak(delay=RETRY_SECONDS)

    async def _park(self, raw: Msg, error: Exception) -> None:
        """Keep what cannot be handled, with the reason; never drop it."""
        log.error("parked", **self._place(raw), reason=repr(error))
        sequence = raw.metadata.sequence.stream
        headers = parked_headers(self._durable, raw.subject, sequence, raw.headers or {}, error)
        subject = f"parked.{self._durable}"
        await self._js.publish(subject, raw.data, stream="PARK", headers=headers, timeout=5)

    def _place(self, raw: Msg) -> dict[str, Any]:
        """What a log line says of a delivery."""
        headers = raw.headers or {}
        return {
            "durable": self._durable,
            "subject": raw.subject,
            "sequence": raw.metadata.sequence.stream,
            "command_id": headers.get(Header.COMMAND),
            "correlation": headers.get(Header.CORRELATION),
        }

"""Points' subscribers, and the clock that it keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import uvloop

from contracts.case import CaseClosed
from contracts.rulebook import NONE_PUBLISHED, gathered
from eventlog.connect import connect_postgres
from eventlog.deliveries import TRANSIENT
from eventlog.joint import JointExecution
from eventlog.logs import set_up_logs
from eventlog.sealing import read_master_key
from eventlog.service import Service
from eventlog.settings import Settings
from eventlog.tasks import end
from services.points import store
from services.points.accounts import ASKED, ROOM, Accounts
from services.points.caps import CAP
from services.points.decider import ACCOUNT, REWARD
from services.points.parties import Parties
from services.points.store import Secrets, Store
from services.points.watch import LOTS, REDEMPTIONS, Watch, keep_time


async def wire(service: Service, secrets: Secrets) -> tuple[Accounts, Store]:
    """Subscribe to what points carries."""
    published = await service.standing(
        ("log.rulebook.>",), NONE_PUBLISHED, gathered, needed="rulebook"
    )
    parties = await service.standing(("log.party.>",), Parties(), Parties.heard)
    accounts, caps = service.execution(ACCOUNT), service.execution(CAP)
    desk = Accounts(service, published, parties, accounts, JointExecution(accounts, caps))
    for kind in ASKED:
        service.command(kind)(desk.handle)
    service.reaction("on-case", CaseClosed)(desk.on_case)
    rewards = service.execution(REWARD)
    return desk, store.wire(service, published, parties, accounts, rewards, secrets)


@asynccontextmanager
async def keeping_time(desk: Accounts, counter: Store, tables: asyncpg.Pool) -> AsyncIterator[None]:
    """The clocks of lots and redemptions are kept beside the subscribers, while they serve."""
    rings = ((LOTS, desk.ring), (REDEMPTIONS, counter.expire))
    clocks = [
        asyncio.create_task(
            keep_time(Watch(tables, due), ring, lambda: datetime.now(UTC), TRANSIENT)
        )
        for due, ring in rings
    ]
    try:
        yield
    finally:
        await end(*clocks)


async def main() -> None:
    """Run points until it is told to stop."""
    settings = Settings.from_environment()
    set_up_logs(ROOM, settings.log_format)
    secrets = Secrets.of(read_master_key(settings.master_key_file))
    tables = await connect_postgres(settings.database_url, tidy=False)
    try:
        async with Service.open(ROOM, settings) as service:
            desk, counter = await wire(service, secrets)
            async with keeping_time(desk, counter, tables):
                await service.run()
    finally:
        await tables.close()


if __name__ == "__main__":
    uvloop.run(main())

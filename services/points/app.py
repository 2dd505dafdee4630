"""Points' subscribers: the only file of the room with I/O."""

from __future__ import annotations

from typing import Final

import uvloop

from contracts.case import CaseClosed
from contracts.envelope import Recorded
from contracts.party import NOBODY_ERASED, erased
from contracts.rulebook import NONE_PUBLISHED, gathered, in_force
from eventlog.deliveries import NotReady
from eventlog.logs import set_up_logs
from eventlog.receiving import reacting
from eventlog.sealing import read_master_key
from eventlog.service import Service
from eventlog.settings import Settings
from services.points import reactions, store
from services.points.decider import ACCOUNT, REWARD
from services.points.store import Secrets

ROOM: Final = "points"


async def wire(service: Service, secrets: Secrets) -> None:
    """Subscribe to what points carries."""
    published = await service.standing(
        ("log.rulebook.>",), NONE_PUBLISHED, gathered, needed="rulebook"
    )
    forgotten = await service.standing(("log.party.>",), NOBODY_ERASED, erased)
    accounts = service.execution(ACCOUNT)
    await store.wire(service, published, accounts, service.execution(REWARD), secrets)

    @service.reaction("on-case", CaseClosed)
    async def on_case(fact: Recorded) -> None:
        if command := reactions.award(fact, forgotten.value):
            issued = reacting(fact, command, room=ROOM, name="award")
            rules = in_force(published.value, issued.at)
            if rules is None:
                raise NotReady(f"no rulebook is in force at {issued.at.isoformat()}")
            await accounts.carry_out(issued, command.rider_id, rules)


async def main() -> None:
    """Run points until it is told to stop."""
    settings = Settings.from_environment()
    set_up_logs(ROOM, settings.log_format)
    async with Service.open(ROOM, settings) as service:
        await wire(service, Secrets.of(read_master_key(settings.master_key_file)))
        await service.run()


if __name__ == "__main__":
    uvloop.run(main())

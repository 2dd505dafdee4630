"""A runner, or a rebuild, in a process of its own, to be killed: follower.py JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from eventlog.connect import connect_nats, connect_postgres
from eventlog.project import ProjectionRunner
from eventlog.rebuild import rebuild
from tests.eventlog.tally import TALLY


async def main(url: str, seed_file: str, database_url: str, job: str, batch_size: int) -> None:
    nc = await connect_nats(url, identity="projector", seed_file=seed_file)
    pool = await connect_postgres(database_url)
    js = nc.jetstream()
    if job == "run":
        await ProjectionRunner(TALLY, js, pool, batch_size=batch_size).run()
    else:
        await rebuild(TALLY, js, pool, check=False, batch_size=batch_size)


if __name__ == "__main__":
    asyncio.run(main(**json.loads(sys.argv[1])))

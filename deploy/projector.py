"""The projector: keeps every projection in step with the log, in a process of its own.

Now and then it has the ledger checked, and shows at `/metrics` what was found.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from typing import Final

import structlog
import uvloop

from deploy.auditing import Auditing
from deploy.projections import PROJECTIONS
from eventlog.checkpoint import Stop
from eventlog.connect import connect_nats, connect_postgres
from eventlog.health import Check, Health, nats_healthz
from eventlog.logs import set_up_logs
from eventlog.project import ProjectionRunner
from eventlog.settings import Settings
from eventlog.tasks import end

log = structlog.get_logger()

NAME: Final = "projector"
LAG_ALLOWED: Final = 10_000
"""Sequences that a projection may be behind the log and still be fit for readers."""
BROKEN_PAUSE: Final = 5.0
"""Seconds until a projection that broke is tried again; so long it is not ready."""


async def main() -> None:
    """Run every projection until told to stop. One that stops does not stop the others."""
    settings = Settings.from_environment()
    set_up_logs(NAME, settings.log_format)
    nc = await connect_nats(
        settings.servers, identity=settings.identity, seed_file=str(settings.nkey_seed_file)
    )
    pool = await connect_postgres(settings.database_url, most=len(PROJECTIONS) + 2)
    js = nc.jetstream(timeout=5)
    runners = [ProjectionRunner(projection, js, pool) for projection in PROJECTIONS]
    stopped: dict[str, str] = {}

    async def connected() -> str | None:
        return None if nc.is_connected else "not connected to NATS"

    server = nats_healthz(settings.nats_monitor_url)
    checks = {"nats": connected, "nats_server": server, **_lags(runners, stopped)}
    auditing = Auditing(settings.ledger_check_seconds)
    health = Health(checks, auditing.metrics)
    await health.start(settings.health_port)
    tasks = [asyncio.create_task(keep(runner, stopped)) for runner in runners]
    if auditing.every:
        tasks.append(asyncio.create_task(auditing.keep()))
    await told_to_stop()
    await end(*tasks)
    await health.stop()
    await pool.close()
    await nc.close()


async def keep(runner: ProjectionRunner, stopped: dict[str, str]) -> None:
    """Run a projection until somebody has to act; what breaks it is said and tried again."""
    name = runner.projection.name
    while True:
        try:
            await runner.run()
        except Stop as stop:  # the runner has said so in the log; readiness says it until mended
            stopped[name] = str(stop)
            return
        except Exception as error:
            log.exception("projection_broke", projection=name)
            stopped[name] = f"broke on {type(error).__name__}: {error}; tried again"
            await asyncio.sleep(BROKEN_PAUSE)
            del stopped[name]


def _lags(runners: Sequence[ProjectionRunner], stopped: dict[str, str]) -> dict[str, Check]:
    def check_of(runner: ProjectionRunner) -> Check:
        async def lag() -> str | None:
            if reason := stopped.get(runner.projection.name):
                return reason
            behind = await runner.lag()
            return None if behind <= LAG_ALLOWED else f"{behind} sequences behind"

        return lag

    return {f"projection_{runner.projection.name}": check_of(runner) for runner in runners}


async def told_to_stop() -> None:
    """Until SIGTERM or SIGINT."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()


if __name__ == "__main__":
    uvloop.run(main())

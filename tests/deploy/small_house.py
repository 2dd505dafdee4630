"""A whole house in small, for tests that kill it: a server, and a service that needs it.

python -m tests.deploy.small_house DIR
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import structlog

from deploy.nats_server import NatsServer
from deploy.program import Program, Spec
from deploy.supervisor import Supervisor

SERVICE = """
import signal, sys, time
def stop(*_):
    print("service told to stop", flush=True)
    if sys.argv[1:] != ["deaf"]:
        sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("service up", flush=True)
while True:
    time.sleep(1)
"""


async def main(house: Path, *manner: str) -> None:
    async with Supervisor(house) as supervisor:
        await supervisor.start(NatsServer(house))
        spec = Spec("service", (sys.executable, "-S", "-c", SERVICE, *manner), house, grace=60)
        await supervisor.start(Program(spec))
        while "service up" not in spec.log_file.read_text():
            await asyncio.sleep(0.01)
        pids = {status.name: status.pid for status in supervisor.status()}
        sys.stdout.write(json.dumps(pids) + "\n")
        sys.stdout.flush()
        await supervisor.run()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))

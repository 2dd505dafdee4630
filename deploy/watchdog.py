"""Stops a house whose supervisor died without stopping it.

The supervisor holds one end of a pipe, this process the other; when the supervisor dies, however
it dies, the kernel closes its end. Then the same clean-up runs that the next start would do.

Why not `PR_SET_PDEATHSIG`: it is Linux only, is bound to the *thread* that forked, needs code
between fork and exec, and signals every child at once, so that the database goes while services
still write. One watching process needs nothing of the children, also not of those that are not
ours (nats-server, postgres), and stops them in order, each with its own signal.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy import records
from deploy.errors import HouseRunsError
from deploy.house_lock import house_lock

_PACKAGE_PARENT: Final = Path(__file__).resolve().parent.parent


class Watchdog:
    """The supervisor's side: open while this process lives, or until closed."""

    def __init__(self, house: Path) -> None:
        self._popen = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "deploy.watchdog", str(house.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=_PACKAGE_PARENT,
            start_new_session=True,
        )

    def close(self) -> None:
        """Let it go after a clean stop: there is nothing left to stop."""
        self._popen.terminate()
        self._popen.communicate()


def watch(house: Path) -> None:
    """Wait until whoever started us is gone, then stop what is left, unless a new house is up."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    try:
        with house_lock(house):
            records.stop_leftovers(house / "run")
    except HouseRunsError:
        return  # the new house has cleaned up itself


if __name__ == "__main__":
    watch(Path(sys.argv[1]))

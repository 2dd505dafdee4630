"""Free TCP ports on loopback."""

from __future__ import annotations

import secrets
import socket
from typing import Final

from deploy.errors import NoFreePortError
from deploy.nats_config import LOOPBACK

# Below the range that systems hand out to outgoing connections (32768 and up on Linux). From
# within it a client that keeps dialling a server that is down is sooner or later given the
# server's own port as its source, connects to itself, and the server can never bind again.
_FIRST: Final = 15_000
_LAST: Final = 32_000
_TRIES: Final = 200


def is_free(port: int) -> bool:
    """Whether the port can be bound at this moment; it may be taken in the next."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> tuple[int, ...]:
    """That many different ports, each free at this moment. Whoever binds them tries again."""
    found: dict[int, None] = {}
    for _ in range(_TRIES):
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        if is_free(port):
            found[port] = None
        if len(found) == count:
            return tuple(found)
    raise NoFreePortError(
        f"found no {count} free ports between {_FIRST} and {_LAST} on {LOOPBACK}; name one yourself"
    )

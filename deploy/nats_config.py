"""The configuration file of a nats-server. Pure: settings and users in, text out.

The text is JSON, which the server reads as it is: every subject is quoted, nothing needs escaping
by hand, and a person or a tool can read it back.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.permissions import HOUSE, REPLAY, Party, Permissions, permissions

MIB: Final = 1024**2
GIB: Final = 1024**3
LOOPBACK: Final = "127.0.0.1"

_API: Final = "$JS.API.>"


@dataclass(frozen=True, slots=True)
class User:
    """A party and the public half of its nkey. The seed never comes near the server."""

    party: Party
    nkey: str


@dataclass(frozen=True, slots=True)
class Seat:
    """Where on this machine a server runs: on loopback, or in a network of its own."""

    host: str = LOOPBACK
    enter: tuple[str, ...] = ()
    """What stands before its command, such as `ip netns exec NAME`."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The place of one server in a cluster on this machine."""

    name: str
    port: int
    peers: tuple[str, ...]
    """Where all members listen for routes, host and port."""
    secret: str = field(repr=False)
    """What a member must know to join: loopback is shared with every user of the machine."""
    seat: Seat = Seat()

    @property
    def address(self) -> str:
        """Where this server listens for routes."""
        return f"{self.seat.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What one server needs to know besides its users."""

    name: str
    port: int
    monitor_port: int
    store: Path
    log_file: Path
    max_file_store: int = 128 * GIB
    """More than the `max_bytes` of all streams together; those refuse before the disk is full."""
    sync_interval: str = "always"
    """An acknowledged fact is on disk. The server's own default syncs every two minutes."""
    cluster: Cluster | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further top-level entries, as the server's manual names them."""


def render(settings: ServerSettings, users: Sequence[User]) -> str:
    """The whole file."""
    return json.dumps(server_config(settings, users), indent=2, ensure_ascii=False) + "\n"


def server_config(settings: ServerSettings, users: Sequence[User]) -> dict[str, Any]:
    """The file as a document."""
    host = settings.cluster.seat.host if settings.cluster else LOOPBACK
    document: dict[str, Any] = {
        "server_name": settings.name,
        "listen": f"{host}:{settings.port}",
        "http": f"{host}:{settings.monitor_port}",
        "log_file": str(settings.log_file),
        "logfile_size_limit": 64 * MIB,
        # However many there are: logs go by their days, not by their number.
        "logfile_max_num": 0,
        "logtime_utc": True,
        "max_payload": MIB,
        "jetstream": {
            "store_dir": str(settings.store),
            "max_file_store": settings.max_file_store,
            "max_memory_store": 256 * MIB,
            "sync_interval": settings.sync_interval,
        },
        "accounts": accounts(users),
    }
    if settings.cluster is not None:
        document["cluster"] = _cluster(settings.cluster)
    return document | dict(settings.extra)


def accounts(users: Sequence[User]) -> dict[str, Any]:
    """The house with its streams, and an account with its own subjects for every other party."""
    _refuse_doubles(users)
    guarded = {durable for user in users for durable in user.party.bound()}
    insiders = [user for user in users if user.party.account == HOUSE]
    outsiders = [user for user in users if user.party.account != HOUSE]
    rights = {user: permissions(user.party, guarded) for user in users}
    visitors: defaultdict[str, list[str]] = defaultdict(list)
    for user in outsiders:
        for subject in _imports(rights[user]):
            visitors[subject].append(user.party.account)
    house = {
        "jetstream": "enabled",
        "users": [_user(user, rights[user]) for user in insiders],
        "exports": [_export(subject, sorted(visitors[subject])) for subject in sorted(visitors)],
    }
    return {HOUSE: house} | {
        user.party.account: {
            "users": [_user(user, rights[user])],
            "imports": [
                {"service": {"account": HOUSE, "subject": subject}}
                for subject in _imports(rights[user])
            ],
        }
        for user in outsiders
    }


def _imports(rights: Permissions) -> tuple[str, ...]:
    """What an outsider's account takes from the house: what its one user may publish.

    The JetStream API comes as a whole, since the server gives every account an API of its own,
    saying "not enabled", unless exactly that subject is imported. The user's permissions narrow it.
    Told history stays in the account of who tells it to itself.
    """
    own = ("$JS.API.", f"{REPLAY}.")
    plain = [subject for subject in rights.publish if not subject.startswith(own)]
    return tuple(sorted([*plain, _API]))


def _export(subject: str, visitors: list[str]) -> dict[str, Any]:
    export: dict[str, Any] = {"service": subject, "accounts": visitors}
    if subject == _API:
        export["response_type"] = "Stream"  # one request for messages, many messages
    return export


def _user(user: User, rights: Permissions) -> dict[str, Any]:
    publish: dict[str, Any] = {"allow": list(rights.publish)}
    if rights.deny_publish:
        publish["deny"] = list(rights.deny_publish)
    allowed: dict[str, Any] = {"publish": publish, "subscribe": {"allow": list(rights.subscribe)}}
    if rights.allow_responses:
        allowed["allow_responses"] = True
    return {"nkey": user.nkey, "permissions": allowed}


def _refuse_doubles(users: Sequence[User]) -> None:
    for what, values in (
        ("name", [user.party.name for user in users]),
        ("key", [user.nkey for user in users]),
    ):
        if doubled := {value for value in values if values.count(value) > 1}:
            raise ValueError(f"two parties share one {what}: {', '.join(sorted(doubled))}")


def _cluster(cluster: Cluster) -> dict[str, Any]:
    return {
        "name": cluster.name,
        "listen": cluster.address,
        "authorization": {"user": "route", "password": cluster.secret, "timeout": 5},
        "routes": [
            f"nats-route://route:{cluster.secret}@{peer}"
            for peer in cluster.peers
            if peer != cluster.address
        ],
    }

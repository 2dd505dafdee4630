"""What a process of the house is told by its environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


class Misconfigured(Exception):
    """A setting is missing or unusable: which one, and what it should be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of one process. Secrets are files, never values in the environment's logs."""

    nats_url: str
    """NATS_URL: one or more addresses, separated by commas."""
    nkey_seed_file: Path
    """WAGGLE_NKEY_FILE: the seed of this identity."""
    identity: str
    """WAGGLE_IDENTITY: its name, also the prefix of its inboxes."""
    database_url: str
    """DATABASE_URL: where projections live."""
    keys_url: str
    """WAGGLE_KEYS_URL: the database of data keys."""
    master_key_file: Path
    """WAGGLE_MASTER_KEY_FILE: 32 bytes that wrap the data keys."""
    nats_monitor_url: str | None = None
    """WAGGLE_NATS_MONITOR_URL: where the server answers /healthz, for readiness."""
    health_port: int = 0
    """WAGGLE_HEALTH_PORT: /livez and /readyz on loopback; 0 means none."""
    log_format: str = "json"
    """WAGGLE_LOG_FORMAT: `json` or `console`."""
    allow_private_webhooks: bool = False
    """WAGGLE_ALLOW_PRIVATE_WEBHOOKS=1: post to loopback and private addresses too."""
    notice_retry_delays: tuple[float, ...] | None = None
    """WAGGLE_NOTICE_RETRY_DELAYS: seconds between tries, separated by commas."""
    ledger_check_seconds: float = 3600.0
    """WAGGLE_LEDGER_CHECK_SECONDS: how often the projector has the ledger checked; 0: never."""

    @property
    def servers(self) -> list[str]:
        """The NATS addresses."""
        return [part.strip() for part in self.nats_url.split(",") if part.strip()]

    @property
    def inbox_prefix(self) -> str:
        """A private inbox: whoever may read `_INBOX.>` reads everybody's replies."""
        return f"_INBOX_{self.identity}"

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the environment. Raises `Misconfigured` naming everything that is missing."""
        needed = {
            name: os.environ.get(name, "")
            for name in (
                "NATS_URL",
                "WAGGLE_NKEY_FILE",
                "WAGGLE_IDENTITY",
                "DATABASE_URL",
                "WAGGLE_KEYS_URL",
                "WAGGLE_MASTER_KEY_FILE",
            )
        }
        if missing := [name for name, value in needed.items() if not value]:
            raise Misconfigured(
                f"not set: {', '.join(missing)}. `waggle up` sets them for its services; "
                "see docs/operations.md to run one by hand."
            )
        delays = os.environ.get("WAGGLE_NOTICE_RETRY_DELAYS")
        return cls(
            nats_url=needed["NATS_URL"],
            nkey_seed_file=Path(needed["WAGGLE_NKEY_FILE"]),
            identity=needed["WAGGLE_IDENTITY"],
            database_url=needed["DATABASE_URL"],
            keys_url=needed["WAGGLE_KEYS_URL"],
            master_key_file=Path(needed["WAGGLE_MASTER_KEY_FILE"]),
            nats_monitor_url=os.environ.get("WAGGLE_NATS_MONITOR_URL"),
            health_port=int(os.environ.get("WAGGLE_HEALTH_PORT", "0")),
            log_format=os.environ.get("WAGGLE_LOG_FORMAT", "json"),
            allow_private_webhooks=os.environ.get("WAGGLE_ALLOW_PRIVATE_WEBHOOKS") == "1",
            ledger_check_seconds=float(os.environ.get("WAGGLE_LEDGER_CHECK_SECONDS", "3600")),
            notice_retry_delays=tuple(float(d) for d in delays.split(",")) if delays else None,
        )

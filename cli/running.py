"""How a verb runs: one event loop, clean on Ctrl-C and SIGTERM, errors in words, exit codes.

0    done
1    the answer is no: refused, a difference found, something not there
2    the input is wrong: options, a file, a row
3    the house or a server cannot be reached or started
4    no definite answer: send the same command again
130  interrupted
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import IntEnum
from typing import Any, NoReturn, TypeVar

import asyncpg
import nats.errors
import structlog
import typer
import uvloop
from rich.console import Console

from deploy.errors import DeployError, StoppedBySignalError
from deploy.provision import NotProvisioned
from deploy.retention import BadDays
from deploy.rulebooks import BadRulebook
from eventlog.asking import NoAnswer
from eventlog.settings import Misconfigured

T = TypeVar("T")


class _Document:
    """The one JSON document of a verb: whether it was asked for, and was printed."""

    asked = False
    printed = False


def asked_for_json(asked: bool) -> bool:
    """What every verb's `--json` calls as the verb begins."""
    _Document.asked, _Document.printed = asked, False
    return asked


class _Output(Console):
    """Stdout, on which whoever reads may stop reading."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


out = _Output()
err = Console(stderr=True)


class Exit(IntEnum):
    """Exit codes that mean something."""

    DONE = 0
    NO = 1
    WRONG_INPUT = 2
    NO_HOUSE = 3
    UNKNOWN = 4
    INTERRUPTED = 130


class Failure(Exception):
    """A verb ends here: what to say, and the exit code."""

    def __init__(self, message: str, code: Exit = Exit.NO) -> None:
        super().__init__(message)
        self.code = code


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a verb to its end; turn what can go wrong into a sentence and an exit code."""
    _quiet_logs()
    try:
        return uvloop.run(_interruptible(work))
    except Failure as failure:
        _fail(str(failure), failure.code)
    except (KeyboardInterrupt, asyncio.CancelledError, StoppedBySignalError):
        _fail("interrupted", Exit.INTERRUPTED)
    except BrokenPipeError:
        _leave_quietly()
    except (BadRulebook, BadDays, Misconfigured) as error:
        _fail(str(error), Exit.WRONG_INPUT)
    except nats.errors.MaxPayloadError:
        _fail("too large to be sent: a command has at most 1 MiB", Exit.WRONG_INPUT)
    except NoAnswer as error:
        _fail(str(error), Exit.UNKNOWN)
    except (TimeoutError, nats.errors.TimeoutError):
        _fail("a server did not answer in time; see the logs of the house", Exit.NO_HOUSE)
    except (
        DeployError,
        NotProvisioned,
        OSError,
        nats.errors.Error,
        asyncpg.PostgresError,
    ) as error:
        _fail(f"{type(error).__name__}: {error}", Exit.NO_HOUSE)


@contextmanager
def until_interrupted(remark: str) -> Iterator[None]:
    """What has no other end than Ctrl-C or SIGTERM: that is how it is done, not a failure."""
    try:
        yield
    except asyncio.CancelledError:
        err.print(remark, style="dim", markup=False, highlight=False)


def go_on() -> None:
    """Between two steps of what goes on without end: end here if that was asked for.

    In Python 3.11 `wait_for`, which the NATS client is built on, loses a cancellation that comes
    together with what it waits for. The task remembers it.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _interruptible(work: Coroutine[Any, Any, T]) -> T:
    """SIGTERM means the same as Ctrl-C: come to a clean end."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    return await task


def print_json(document: object) -> None:
    """One JSON document, on one line, at once: also into a pipe."""
    _Document.printed = True
    print(json.dumps(document, ensure_ascii=False, default=_plain), flush=True)


def _plain(value: Any) -> Any:
    """What json does not know: moments, models."""
    return value.isoformat() if isinstance(value, datetime) else value.model_dump(mode="json")


def _fail(message: str, code: Exit) -> NoReturn:
    """The sentence on stderr; who asked for JSON has it as the one document too."""
    if _Document.asked and not _Document.printed:
        print_json({"error": message, "exit": int(code)})
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(int(code))


def _leave_quietly() -> NoReturn:
    """Whoever reads our output has had enough, such as `head`: that is no failure."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(int(Exit.DONE))


def _quiet_logs() -> None:
    """A verb speaks for itself; only what is wrong shows, on stderr."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(40),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )

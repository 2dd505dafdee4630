"""Facts into the log: exactly once, in exact order, many in one write to disk.

The four promises:

1. An acknowledged fact is on disk, on a majority when the stream is replicated.
2. Never two facts for one command, and never half a decision.
3. A timeout is not a failure: the identical publish is repeated until a definite answer.
4. Group commit. While one commit is in flight, decisions gather; a handful go singly and side by
   side, more go as one atomic batch; a refused group lets the innocent through.

How a decision travels:

    submit ─▶ lines ─▶ round ─▶ wire ─▶ answer ─▶ the caller
                         ▲                │ not a plain yes
                         └──── settle ◀───┘

    appender   takes decisions, sends them in rounds, sees that each caller gets an answer
    decisions  a decision, its entry in the queue, the ways it can end
    lines      who may go next: each stream id serves one at a time
    atomic     messages and atomic batches on the wire, one answer for each attempt
    answers    what the server's answer means
    settle     repeats, looks, takes a refused group apart, until the answer is definite
    resolve    was it us? reading what the log really holds
    safety     whether the stream may be trusted with facts
"""

from eventlog.append.appender import Appender, Limits, UnsafeLog
from eventlog.append.atomic import Unfit
from eventlog.append.decisions import (
    Appended,
    Busy,
    Closed,
    Conflict,
    Decision,
    LogFull,
    Rejected,
    Stats,
    Unknown,
)

__all__ = [
    "Appended",
    "Appender",
    "Busy",
    "Closed",
    "Conflict",
    "Decision",
    "Limits",
    "LogFull",
    "Rejected",
    "Stats",
    "Unfit",
    "Unknown",
    "UnsafeLog",
]

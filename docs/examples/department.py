"""A department's worker: takes orders off its own queue, works, reports back. Plain nats-py.

    python department.py nats://127.0.0.1:4222 sanitation sanitation.nk

Start as many as you like: they share the queue. An order that a lost worker had is delivered again.
"""

import asyncio
import json
import sys

import nats
from nats.errors import TimeoutError as NothingYet


async def tell(nc, unit, command, command_id, **fields):
    """Send a command until there is an answer; the same id is never done twice."""
    while True:
        subject, body = f"cmd.{unit}.router.{command}", json.dumps(fields).encode()
        try:
            reply = await nc.request(subject, body, timeout=5, headers={"ce-id": command_id})
        except NothingYet:
            continue
        answer = json.loads(reply.data)
        if answer["outcome"] not in ("busy", "unknown"):
            return answer


async def main(url, unit, seed):
    """Take one order at a time, for ever."""
    nc = await nats.connect(url, nkeys_seed=seed, inbox_prefix=f"_INBOX_{unit}")
    queue = await nc.jetstream().pull_subscribe_bind(durable=unit, stream="WORK")
    while True:
        try:
            (message,) = await queue.fetch(1, timeout=30)
        except NothingYet:
            continue
        order = json.loads(message.data)
        case, mark = order["case_id"], order["order_id"]
        answer = await tell(nc, unit, "accept_work", f"{mark}.accept", case_id=case)
        print(order["kind"], case, "due", order["due_at"], answer["outcome"], flush=True)
        await message.in_progress()  # the work takes longer than the queue waits: say so
        await message.ack_sync()  # only now is it ours for good


asyncio.run(main(*sys.argv[1:4]))

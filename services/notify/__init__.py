"""Notify: who is told what, in which words, on two real channels.

    log.report.<id> ──┐                       ┌▶ channels.Outbox ──▶ notice.outbox.<id>
    log.case.<id> ────┼▶ reactions.notices ──▶┤
    log.account.<id> ─┘    ▲         ▲        └▶ channels.Webhook ─▶ the receiver's address
                           │         │                  ▼
    log.party.<id> ─▶ directory      │       delivery: delivered, tried again, or parked
    log.rulebook.<name> ─▶ phrases ◀─ words             ▼
                                             decider ─▶ log.notice.<id> ─▶ projection

Each channel is a reaction of its own (durables notify-outbox, notify-webhook) and tries again by
itself. Imported history is told to nobody.
"""

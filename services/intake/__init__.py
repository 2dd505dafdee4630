"""Intake: takes reports on, and knows the parties.

    cmd.<platform>.intake.submit_report(s) ─▶ decider.report ─▶ log.report.<id>
    inbox.<platform> ──────────────────────▶      "          ─▶      "     ─▶ answer.<platform>
    cmd.<party>.intake.register_party ─────▶ decider.party  ─▶ log.party.<id>
    cmd.officer.intake.erase_rider ────────▶      "          ─▶      "     ─▶ the key is destroyed

A report is accepted or refused with every reason; both are facts. The report's id is the
sender's idempotency key: sent again unchanged it gets the same answer.
"""

"""When a rider earns points: once for a report, for an act, for an honour. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from contracts.account import (
    AccountRefusal,
    AwardCounted,
    AwardPoints,
    CapName,
    Counted,
    GrantKind,
    GrantPoints,
    Inputs,
    PointsAwarded,
    PointsGranted,
    PointsWithheld,
    Standing,
)
from contracts.envelope import Fact, Issued
from services.points.account import Account, times_of
from services.points.awards import Share, Worth, lot_id, shared_caps, worth
from services.points.caps import Totals
from services.points.rules import Rules, refused

NOTHING_SHARED: Final[Totals] = {}


def award(issued: Issued[AwardPoints], account: Account, rules: Rules) -> list[Fact]:
    """Award the report's points, where no limit that others share has counted anything yet."""
    return award_within(issued, account, NOTHING_SHARED, rules)


def award_within(
    issued: Issued[AwardPoints], account: Account, totals: Totals, rules: Rules
) -> list[Fact]:
    """Award the report's points within every limit; nothing when it has been decided on (L4).

    What a limit leaves nothing of is withheld for good, and says so: it never earns later. What
    counts towards a limit that others share is a fact beside the award.
    """
    command = issued.command
    if command.report_id in account.reports:
        return []
    found = worth(command, account, totals, issued.at, rules)
    if found is None:
        detail = f"the rulebook {rules.label} has no points for kind '{command.service_code}'"
        raise refused(AccountRefusal.NO_EARNING_RULE, detail)
    if not found.points:
        return [_withheld(command, found, rules)]
    shares = [share for share in found.shares if share.points]
    awarded = [_awarded(command, share, found, issued.at, rules) for share in shares]
    return [*awarded, *_counts(command, found, issued.at, rules)]


def _awarded(
    command: AwardPoints, share: Share, found: Worth, at: datetime, rules: Rules
) -> PointsAwarded:
    return PointsAwarded(
        rider_id=command.rider_id,
        platform=command.platform,
        report_id=command.report_id,
        case_id=command.case_id,
        service_code=found.earned.service,
        condition=command.condition,
        points=share.points,
        rule=share.rule,
        rulebook=rules.label,
        lot=lot_id(command.report_id, share.rule, command.rider_id),
        activates_at=rules.activates_at(at),
        lifetime_days=rules.earning.lifetime_days,
        inputs=share.inputs,
    )


def _withheld(command: AwardPoints, found: Worth, rules: Rules) -> PointsWithheld:
    return PointsWithheld(
        rider_id=command.rider_id,
        platform=command.platform,
        report_id=command.report_id,
        case_id=command.case_id,
        service_code=found.earned.service,
        condition=command.condition,
        rule=found.earned.rule,
        rulebook=rules.label,
        caps=found.caps,
        inputs=found.inputs,
    )


def _counts(
    command: AwardPoints, found: Worth, at: datetime, rules: Rules
) -> Sequence[AwardCounted]:
    limits = {counted.cap: counted.limit for counted in found.inputs.counted}
    return [
        AwardCounted(
            cap_id=shared.cap_id,
            cap=shared.cap,
            of=shared.of,
            rider_id=command.rider_id,
            report_id=command.report_id,
            points=found.points,
            limit=limits.get(shared.cap),
        )
        for shared in shared_caps(command, at, rules)
    ]


def grant(issued: Issued[GrantPoints], account: Account, rules: Rules) -> list[Fact]:
    """Grant what the earning document gives for an act or an honour, once for an occasion."""
    command = issued.command
    rules.insist_on_officer(issued.actor, command.rider_id)
    rule = f"{command.kind}:{command.code}"
    lot = lot_id(command.occasion, rule, command.rider_id)
    if lot in account.lots:
        return []
    done_at = command.done_at or issued.at
    points, inputs = _granted(command, account, rule, done_at, rules)
    return [
        PointsGranted(
            rider_id=command.rider_id,
            kind=command.kind,
            occasion=command.occasion,
            points=points,
            rule=rule,
            rulebook=rules.label,
            by=issued.actor,
            lot=lot,
            activates_at=rules.activates_at(issued.at),
            lifetime_days=rules.earning.lifetime_days,
            inputs=inputs,
        )
    ]


def _granted(
    command: GrantPoints, account: Account, rule: str, done_at: datetime, rules: Rules
) -> tuple[int, Inputs]:
    """What the document gives, and from what that follows."""
    day = rules.day(done_at)
    given = (
        rules.earning.act(command.code)
        if command.kind is GrantKind.ACT
        else rules.earning.honour(command.code)
    )
    if given is None:
        detail = f"the rulebook {rules.label} knows no {command.kind} '{command.code}'"
        raise refused(AccountRefusal.NO_EARNING_RULE, detail, "code")
    counted: tuple[Counted, ...] = ()
    act = rules.earning.act(command.code) if command.kind is GrantKind.ACT else None
    if act is not None and act.per_month is not None:
        times = account.counts.get(times_of(rule, day), 0)
        if times >= act.per_month:
            detail = f"'{command.code}' earns {act.per_month} times a month, and did in {day[:7]}"
            raise refused(AccountRefusal.LIMIT_REACHED, detail)
        counted = (Counted(cap=CapName.ACT_MONTH, before=times, limit=act.per_month),)
    inputs = Inputs(
        reported_at=done_at,
        day=day,
        standing=Standing.FIRST,
        base=given.points,
        counted=counted,
    )
    return given.points, inputs

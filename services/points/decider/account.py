"""When a rider earns points: once for a report, by the rules in force. Pure."""

from __future__ import annotations

from contracts.account import AwardPoints, PointsAwarded
from contracts.envelope import Fact, Issued, Reason, Refused
from contracts.rulebook import Rulebook
from eventlog.decider import Decider
from services.points.account import NO_ACCOUNT, Account, entered, evolve
from services.points.earning import earned


def decide(issued: Issued[AwardPoints], account: Account, rules: Rulebook) -> list[Fact]:
    """Award the report's points; nothing when it has been awarded (ledger invariant L4)."""
    award = issued.command
    if award.report_id in account.reports:
        return []
    worth = earned(rules, award.service_code, award.condition, award.area, issued.at)
    if worth is None:
        detail = f"the rulebook {rules.label} has no points for kind '{award.service_code}'"
        raise Refused(Reason(code="no_earning_rule", detail=detail))
    fact = PointsAwarded(
        rider_id=award.rider_id,
        platform=award.platform,
        report_id=award.report_id,
        case_id=award.case_id,
        service_code=worth.service,
        condition=award.condition,
        points=worth.points,
        rule=worth.rule,
        rulebook=rules.label,
    )
    return entered(account, [fact])


ACCOUNT = Decider("account", NO_ACCOUNT, decide, evolve)

__all__ = ["ACCOUNT", "Account", "decide", "evolve"]

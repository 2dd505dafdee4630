"""Points: a point is earned once, for a verified result, by a published rule.

log.case.<id> (closed as fixed) ─▶ reactions.award ─▶ decider ─▶ log.account.<rider>
log.account.<rider> ─────────────▶ projection      ─▶ points.passbook, points.entry
"""

"""Router: opens cases, gives each to one accountable unit, and leads it to its end.

    log.report.<id> ─▶ reactions.open_case ─▶ decider.case ─▶ log.case.<id>
    cmd.<unit>.router.accept_work | dispatch_case | return_work | resolve_work
                     | verify_work | close_case ─▶    "    ─▶      "
    log.case.<id> ──▶ reactions.work_order ─▶ work.<unit>
    cmd.provisioner.router.publish_rulebook ─▶ decider.rulebook ─▶ log.rulebook.<name>

Who holds a case first is decided in `routing`, by area and service; until when, in `deadline`.
"""

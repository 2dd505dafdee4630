"""`waggle import`: history from other systems, row by row, each at its own time.

file ──▶ messages.py ──▶ archive.py ──▶ SubmitReports ──▶ intake ──▶ report.<id>
         what a row       as party                                      │
         says, or all     `archive`  ◀── the log tells ── router ◀──────┘
         that is wrong       └──────────▶ RecordHandling ──▶ router ──▶ case.<id>
"""

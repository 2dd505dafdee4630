"""`waggle demo`: the story of one district's day, played through a whole house.

story ─▶ scenes ─▶ playing ─ commands, as each party ─▶ the house ─▶ witness (reads the log)
                      │                                                 │
                      ▼                                                 ▼
                  telling (lines, as it happens)      expected ═══ findings (tables and log)
                                                              ║
                                                           checks
"""

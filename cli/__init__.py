"""The `waggle` command: one file for each group of verbs. Decides nothing."""

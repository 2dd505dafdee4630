"""The words of Waggle: every command, fact, message and rule document that crosses a wall.

pydantic only; imports nothing of ours. Read a module to learn what a stream can say:
`report`, `case`, `account`, `reward`, `party`, `rulebook`, `evaluation`, `notice`; `envelope`
is the grammar they share. All of them are loaded together, so that every fact can be read.
"""

from contracts import account, case, evaluation, notice, party, report, reward, rulebook

__all__ = ["account", "case", "evaluation", "notice", "party", "report", "reward", "rulebook"]

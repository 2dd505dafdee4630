"""How points decides: about a rider's points, and about the store."""

from services.points.decider.account import ACCOUNT, Account
from services.points.decider.reward import REWARD

__all__ = ["ACCOUNT", "REWARD", "Account"]

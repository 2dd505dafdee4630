"""How router decides: about cases, and about rulebooks."""

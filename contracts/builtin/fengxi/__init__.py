"""The rules of a district that does not exist."""

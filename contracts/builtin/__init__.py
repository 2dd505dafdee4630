"""The rulebook of a made-up district that every new house starts with (package data)."""

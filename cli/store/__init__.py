"""The store from the command line: wishes, items, redemptions, stations, ranking."""

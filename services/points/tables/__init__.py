"""The tables of points, one file for what belongs together. Pure."""

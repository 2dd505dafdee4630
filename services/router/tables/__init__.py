"""The rows of router's projection, one file for each table. Pure."""

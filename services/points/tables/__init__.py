"""The tables of points, and how each row follows from the row before and a fact."""

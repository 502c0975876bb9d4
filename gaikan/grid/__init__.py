"""The grid: which networks are trained, and on which processes."""

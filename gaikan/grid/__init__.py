"""Which networks are trained, and where."""

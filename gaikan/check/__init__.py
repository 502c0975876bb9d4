"""`gaikan check`: whether a run is worse than a baseline."""

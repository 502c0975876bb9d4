"""Inference timing: what a factory can rely on when it plans a line."""

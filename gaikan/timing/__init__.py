"""Inference timing: how long each network takes in each runtime."""

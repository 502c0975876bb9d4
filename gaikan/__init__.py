"""gaikan: which small vision model to install at which inspection stage, and why."""

__version__ = "0.1.0"

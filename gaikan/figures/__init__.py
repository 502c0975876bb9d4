"""Every picture, its style and its colours."""

"""Images of parts: where they come from and how they are divided."""

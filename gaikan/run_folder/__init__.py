"""Every file of a run: who writes it, who reads it back."""

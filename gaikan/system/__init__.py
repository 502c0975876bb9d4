"""Files, locks, the store, the machine."""

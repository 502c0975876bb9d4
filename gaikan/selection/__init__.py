"""Which variant to install at which inspection stage, chosen on validation alone."""

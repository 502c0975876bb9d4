"""What a user asks for: the configuration, the runs, the inspection stages."""

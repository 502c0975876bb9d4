"""What is asked for: the configuration, the runs, the inspection stages."""

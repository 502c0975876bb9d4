"""The command line, a file a command: its options, and what it prints."""

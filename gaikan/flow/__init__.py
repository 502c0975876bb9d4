"""A command's whole story, as a row of named steps. Prints nothing."""

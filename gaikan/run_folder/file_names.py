"""Names of a run's pages; a module of its own, so that whoever makes them needs no torch."""

HTML, MARKDOWN = "report.html", "report.md"
AGAIN = "run.toml"  # the configuration that makes the run again

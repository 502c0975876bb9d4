"""From a run folder to a verified bundle. Needs the whole harness."""

"""Which runs have scored the same test part: each look at it invites a choice."""

from pathlib import Path

from gaikan.run_folder.manifest import MANIFEST, read_manifest_if_any


def runs_that_scored(out: Path, test: str, made_from: str) -> tuple[str, ...]:
    """`made_from` of each run that has scored the test part of fingerprint `test`, sorted.

    Those in the folder of `out` count, with what was in `out` before, and the run that is
    `made_from` this. A folder without a whole manifest does not count.
    """
    scored = {made_from}
    for path in out.resolve().parent.glob(f"*/{MANIFEST}"):
        manifest = read_manifest_if_any(path.parent)
        if manifest is not None and manifest.data.test.fingerprint == test:
            scored |= {manifest.made_from, *manifest.test_scored_by}
    return tuple(sorted(scored))

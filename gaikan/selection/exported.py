"""What `gaikan export` has to say of a network that a stage did not pick."""

from pathlib import Path

from gaikan.bundle.card import Card
from gaikan.errors import ConfigError
from gaikan.language.words import Words, plain, say
from gaikan.run_folder.picks_file import PICKS, StagePicks, WeighedCandidate, read_picks
from gaikan.selection.bundles import BUNDLES
from gaikan.selection.constraint_words import missed
from gaikan.selection.reasons import shortfall


def export_cautions(run: Path, card: Card) -> list[Words]:
    """A sentence for each stage whose limits the network of a bundle misses.

    Of a bundle for one stage only that counts. Nothing is said of a run without picks.
    """
    try:
        picks = read_picks(run / PICKS)
    except ConfigError as error:  # the bundle itself needs none of it
        return [plain(str(error))]
    if picks is None:
        return []
    stages = {n: stage for n, stage in picks.stages.items() if card.stage in (None, n)}
    return [said for name, stage in stages.items() if (said := _caution(name, stage, card))]


def _caution(name: str, stage: StagePicks, card: Card) -> Words | None:
    """What it misses at a stage, or that it was judged there by another border; or nothing."""
    own = [c for c in stage.candidates if (c.variant, c.seed) == (card.variant, card.seed)]
    own = [c for c in own if _bundled(c) == (card.runtime, card.precision)] or own
    limits = {limit.name: limit for limit in stage.constraints}

    def distance(candidate: WeighedCandidate) -> tuple[int, float]:
        return shortfall([limits[name] for name in candidate.failed], candidate.values)

    nearest = sorted(own, key=distance)[:1]
    misses = tuple(missed(limits[of], c.values[of]) for c in nearest for of in c.failed)
    miss = stage.nearest_miss
    if miss is not None and (miss.variant, miss.seed) == (card.variant, card.seed):
        # By the lots that calibrate, as the pick says; `candidates` are by those that choose.
        failed = [check for check in miss.checks if not check.passed]
        misses = tuple(missed(limits[c.constraint], c.value) for c in failed) or misses
    if stage.pick is None:
        key = "export_none_qualified" if misses else "export_nothing_qualified"
        return say(key, stage=name, misses=misses)
    if misses:
        return say("export_misses", stage=name, misses=misses)
    border, pick = (card.threshold, card.ask_level), stage.pick
    is_pick = (pick.variant, pick.seed) == (card.variant, card.seed)
    if is_pick and (pick.threshold, pick.ask_level) == border:
        return None
    others = [c.decided_by for c in nearest if (c.threshold, c.ask_level) != border]
    return say("export_other_border", stage=name, by=others[0]) if others else None


def _bundled(candidate: WeighedCandidate) -> tuple[str, str] | None:
    """Runtime and precision of the bundle that holds it."""
    bundle = BUNDLES.get(candidate.label)
    return None if bundle is None else (bundle.runtime, bundle.precision)

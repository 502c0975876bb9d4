"""What to do about a stage at which nothing qualifies: what fails least, and what would do."""

from gaikan.language.words import Filling, say
from gaikan.report.run_facts import NextStep, RunFacts
from gaikan.run_folder.file_names import AGAIN
from gaikan.run_folder.picks_file import NearestMiss, StagePicks

_ALL = 1.0  # it is about every part


def without_pick(facts: RunFacts, name: str, stage: StagePicks) -> list[NextStep]:
    """The nearest miss; then what another runtime or a person who is asked would change."""
    near = stage.nearest_miss
    if near is None:
        return [_timed(facts, name, stage)]
    would_do = [text for text in (stage.beyond, stage.asking) if text is not None]
    file = str(facts.run / AGAIN)
    others = [say("next_other", stage=name, text=text, file=file) for text in would_do]
    return [
        _nearest(facts, name, near),
        *(NextStep(_ALL, words, facts.pick_again) for words in others),
    ]


def _timed(facts: RunFacts, name: str, stage: StagePicks) -> NextStep:
    """The timing that the stage asks for and the run lacks."""
    options = str(stage.why.values.get("options", ""))
    command = f"gaikan time {facts.folder} {options}".rstrip()
    return NextStep(_ALL, say("next_untimed", stage=name, why=stage.why), command)


def _nearest(facts: RunFacts, name: str, near: NearestMiss) -> NextStep:
    found = say("variant_in", variant=near.variant, place=near.place)
    told: dict[str, Filling] = {"stage": name, "found": found, "file": str(facts.run / AGAIN)}
    if near.hopeless is None:
        gives = tuple(near.would_have_to_give)
        return NextStep(_ALL, say("next_nearest", gives=gives, **told), facts.pick_again)
    if facts.curve is None:
        words = say("next_hopeless_images", why=near.hopeless, **told)
        command = f"gaikan bench {facts.file} --learning-curve --out {facts.folder}"
        return NextStep(_ALL, words, command)
    words = say("next_hopeless_labels", why=near.hopeless, **told)
    return NextStep(_ALL, words, f"gaikan labels {facts.folder}")

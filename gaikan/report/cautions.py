"""What a reader should know of a run: what makes figures wrong or void, and what is only a note.

No pandas, so that `gaikan pick` starts quickly.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gaikan.language.words import Words, say
from gaikan.report.blocks import Alert
from gaikan.run_folder.picks_file import StagePicks

if TYPE_CHECKING:
    from gaikan.run_folder.whole import RunFolder

# Keys of what is said of a source or a pick that makes a figure wrong or void.
_OF_SOURCES = frozenset(
    {
        "values_exposure",
        "values_fractions",
        "images_darker",
        "images_brighter",
        "class_not_in_training",
        "names_alike",
        "names_alike_more",
        "told_by_file_one",
        "told_by_file_many",
        "class_brighter",
        "class_darker",
        "weights_from",
    }
)
_OF_PICKS = frozenset(
    {
        "wants_unconfirmed",
        "falls_short",
        "falls_short_of_ceiling",
        "sides_apart",
        "time_disturbed",
    }
)
SERIOUS = _OF_SOURCES | _OF_PICKS


def of_run(folder: "RunFolder") -> list[Alert]:
    """Of the data: no lots, leaks, and its notes; what is serious comes first."""
    manifest = folder.manifest
    leaks = manifest.leaks
    leaked = (
        leaks.test_parts_with_exact_copy_in_training
        or leaks.test_parts_with_near_copy_in_training
        or leaks.test_parts_named_as_one_in_training
        or leaks.groups_in_training_and_test
    )
    alerts = [Alert(say("by_picture"))] * (manifest.data.train.groups is None)
    alerts += [Alert(say("leak_alert"))] if leaked else []
    texts = {text.en: text for _, source in manifest.data.both for text in source.notes}
    return _serious_first([*alerts, *map(_told, texts.values())])


def of_pick(stage: StagePicks) -> list[Alert]:
    """Of what is picked at a stage."""
    return _serious_first(map(_told, stage.warnings))


def _told(text: Words) -> Alert:
    serious = not SERIOUS.isdisjoint(_keys(text))
    return Alert(say("warning" if serious else "note", text=text), serious)


def _keys(text: Words) -> Iterator[str]:
    """Its key, and those of the texts that are put together in it."""
    yield text.key
    for value in text.values.values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Words):
                yield from _keys(part)


def _serious_first(alerts: Iterable[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: not alert.serious)

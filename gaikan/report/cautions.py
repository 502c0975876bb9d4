"""What a reader should know of a run: what makes figures wrong or void, and what is only a note.

No pandas, so that `gaikan pick` starts quickly.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gaikan.language.words import Words, say
from gaikan.report.blocks import Alert
from gaikan.run_folder.manifest import LeakCounts
from gaikan.run_folder.picks_file import StagePicks

if TYPE_CHECKING:
    from gaikan.run_folder.whole import RunFolder

_NEARLY_ALL = 0.9  # of the test parts: what is left is too few to judge by
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
    alerts = [Alert(say("by_picture"))] * (manifest.data.train.groups is None)
    alerts += map(Alert, leak_alerts(manifest.leaks, manifest.data.test.images))
    texts = {text.en: text for _, source in manifest.data.both for text in source.notes}
    return _serious_first([*alerts, *map(_told, texts.values())])


def leak_alerts(leaks: LeakCounts, test_parts: int) -> list[Words]:
    """How many test parts are in training too, and what that makes of the test figures."""
    same = leaks.test_parts_with_exact_copy_in_training + leaks.test_parts_named_as_one_in_training
    if same >= _NEARLY_ALL * test_parts:
        return [say("leak_alert_all", n=same, total=test_parts)]
    counts = {
        "leak_alert": same + leaks.test_parts_with_near_copy_in_training,
        "leak_alert_groups": leaks.test_parts_of_those_groups,
    }
    return [say(key, n=n, total=test_parts) for key, n in counts.items() if n]


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

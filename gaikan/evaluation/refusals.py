"""What `gaikan bench` would refuse of a training source, told before anyone runs it."""

from gaikan.config.model import Config
from gaikan.data.frames import Frames
from gaikan.data.split import split, split_off_test
from gaikan.errors import DataError
from gaikan.evaluation.experiment import check_images
from gaikan.language.words import Words, say


def refusals(train: Frames, config: Config) -> list[Words]:
    """Why it would be refused as the training source, in the words of the refusal itself.

    Without a test source a part for the test comes out of it too, so that it must hold more.
    """
    if train.source == "terminals":  # whose test lots are its own
        return []
    alone = _refusal(train, config, tests_on_its_own=True)
    if alone is None:
        return []
    beside_test = _refusal(train, config, tests_on_its_own=False)
    if alone == beside_test:
        return [say("bench_refuses", reason=alone)]
    said = {"bench_refuses_alone": alone, "bench_refuses_beside_test": beside_test}
    return [say(key, reason=reason) for key, reason in said.items() if reason is not None]


def _refusal(train: Frames, config: Config, tests_on_its_own: bool) -> str | None:
    try:
        check_images(train.source, train)
        if tests_on_its_own:
            train = train.take(split_off_test(train, config.base_seed)[0])
        for seed in config.all_seeds:
            split(train, seed)
    except DataError as error:
        return str(error)
    return None

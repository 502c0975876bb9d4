"""Images that are not read: one by name, many in one refusal."""

from collections.abc import Sequence
from pathlib import Path

from gaikan.errors import DataError

MEND = "delete it or save it anew"
_NAMED = 5


class UnreadImageError(DataError):
    """An image that is not read: which, why, and what to do."""

    def __init__(self, place: Path | str, why: str, remedy: str) -> None:
        super().__init__(f"{place}: {why}; {remedy}")
        self.place, self.why, self.remedy = str(place), why, remedy


def refusal(unread: Sequence[DataError], n_images: int, source: str) -> DataError:
    """The first few by name, and how many of `n_images` there are: one run shows what to mend."""
    if len(unread) == 1:
        return unread[0]
    places: dict[str, list[str]] = {}  # by what is wrong with them
    for error in unread[:_NAMED]:
        if isinstance(error, UnreadImageError):
            place = error.place.removeprefix(f"{source}/").removeprefix(f"{source}: ")
            places.setdefault(f": {error.why}, {error.remedy}", []).append(place)
        else:
            places.setdefault("", []).append(str(error))
    told = [", ".join(named) + wrong for wrong, named in places.items()]
    if len(unread) > _NAMED:
        told.append(f"and {len(unread) - _NAMED} more")
    return DataError(
        f"{source}: {len(unread)} of {n_images} images cannot be read: {'; '.join(told)}"
    )

"""The grammar of sources on the hub: `hub:owner/name[@revision][:split]`."""

import re
from dataclasses import dataclass

from gaikan.errors import DataError

GRAMMAR = "hub:owner/name[@revision][:split]"

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
_SOURCE = re.compile(
    rf"hub:(?P<owner_name>{_PART}/{_PART})"
    r"(?:@(?P<revision>\w(?:[\w.+/-]*\w)?))?"
    r"(?::(?P<split>\w+(?:\.\w+)*))?"
)


@dataclass(frozen=True)
class HubName:
    """A data set on the hub; without a revision it is `main`, without a split its only one."""

    owner_name: str
    revision: str | None = None
    split: str | None = None


def parse_hub(source: str) -> HubName:
    """The parts of `source`; the same names are allowed as on the hub itself."""
    match = _SOURCE.fullmatch(source)
    owner_name = match["owner_name"] if match else ""
    if match is None or ".." in source or "--" in owner_name or owner_name.endswith(".git"):
        raise DataError(
            f"{source!r} does not name a data set on the hub: write {GRAMMAR}, "
            "for example hub:owner/name or hub:owner/name@v1.0:train"
        )
    return HubName(owner_name, match["revision"], match["split"])

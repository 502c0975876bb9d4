"""The file of frozen networks beside a baseline: `baseline.json`, `baseline.frozen.safetensors`."""

import hashlib
from pathlib import Path

from gaikan.check.frozen_networks import FrozenNetworks
from gaikan.errors import ConfigError
from gaikan.system.files import write, writing

_REMEDY = "bring it back, or make both anew by `gaikan check RUN --update`"


def frozen_path(baseline: Path) -> Path:
    """The file beside the `baseline`."""
    return baseline.with_suffix(".frozen.safetensors")


def save_frozen(frozen: FrozenNetworks | None, baseline: Path) -> str | None:
    """Writes the file, or removes it where there is nothing to keep; its sha256."""
    path = frozen_path(baseline)
    if frozen is None:
        with writing(path):
            path.unlink(missing_ok=True)
        return None
    content = frozen.pack()
    write(path, content)
    return hashlib.sha256(content).hexdigest()


def read_frozen(baseline: Path, checksum: str | None) -> FrozenNetworks | None:
    """The networks whose sha256 the `baseline` names; None where it names none.

    Raises ConfigError where the file is absent, damaged, or that of another baseline.
    """
    if checksum is None:
        return None
    path = frozen_path(baseline)
    try:
        content = path.read_bytes()
    except OSError:
        raise ConfigError(f"{path}: not there, though {baseline} needs it; {_REMEDY}") from None
    if hashlib.sha256(content).hexdigest() != checksum:
        raise ConfigError(f"{path}: damaged, or of another baseline than {baseline}; {_REMEDY}")
    try:
        return FrozenNetworks.unpack(content, checksum)
    except Exception:  # a file that was made to be wrong: any part of it may be
        raise ConfigError(f"{path}: holds no frozen networks; {_REMEDY}") from None

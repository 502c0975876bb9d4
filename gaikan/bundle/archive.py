"""The zip file of a bundle: fixed members, not compressed, each with its checksum.

Not compressed, because weights hardly compress and because then no member can be larger than
the file: there is no zip bomb to look out for. Nothing is unpacked to disk, so that no name can
lead out of a folder, and nothing is pickled.
"""

import hashlib
import io
import re
import zipfile
from pathlib import Path

from gaikan.errors import BundleError, first_line
from gaikan.system.files import write

CARD, MODEL = "model.json", "model.onnx"
EMBEDDINGS, LABELS = "validation-embeddings.f32", "validation-labels.u16"
_CHECKSUMS = "SHA256SUMS"
_REQUIRED, _OPTIONAL = {CARD, MODEL, _CHECKSUMS}, {EMBEDDINGS, LABELS}
_LARGEST_FILE, _LARGEST_TEXT = 2**30, 2**22  # bytes
_DATE = (1980, 1, 1, 0, 0, 0)  # the same content makes the same file


def save(path: Path, members: dict[str, bytes]) -> None:
    """Writes the bundle; `sha256sum -c SHA256SUMS` checks an unpacked one too."""
    sums = "".join(f"{_sha256(content)}  {name}\n" for name, content in members.items())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {**members, _CHECKSUMS: sums.encode()}.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content)
    try:
        write(path, buffer.getvalue())
    except OSError as error:
        raise BundleError(f"{path}: cannot be written ({error.strerror})") from None


def load(path: Path) -> dict[str, bytes]:
    """The members of a bundle by name, once they match their checksums. Raises BundleError."""
    try:
        size = path.stat().st_size
        if size > _LARGEST_FILE:
            raise BundleError(f"{path}: {size} bytes; no bundle is larger than {_LARGEST_FILE}")
        with zipfile.ZipFile(path) as archive:
            _check_names(archive, path, size)
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except FileNotFoundError:
        raise BundleError(f"{path}: no such bundle") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise BundleError(f"{path}: not a bundle or a damaged one ({first_line(error)})") from None
    except OSError as error:
        reason = error.strerror or first_line(error)
        raise BundleError(f"{path}: cannot be read as a bundle ({reason})") from None
    _check_sums(members, members.pop(_CHECKSUMS), path)
    return members


def _check_names(archive: zipfile.ZipFile, path: Path, size: int) -> None:
    infos = archive.infolist()
    names = [info.filename for info in infos]
    for info in infos:
        if info.filename not in _REQUIRED | _OPTIONAL:
            raise BundleError(f"{path}: member {info.filename[:80]!r} does not belong in a bundle")
        if names.count(info.filename) > 1:
            raise BundleError(f"{path}: member {info.filename!r} occurs more than once")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise BundleError(f"{path}: member {info.filename!r} is compressed; bundles are not")
        if info.file_size > (size if info.filename not in (CARD, _CHECKSUMS) else _LARGEST_TEXT):
            raise BundleError(
                f"{path}: member {info.filename!r} declares {info.file_size} bytes, too many"
            )
    if sum(info.file_size for info in infos) > size:
        raise BundleError(f"{path}: its members declare more bytes than the file has")
    missing = sorted(_REQUIRED - set(names))
    if missing:
        raise BundleError(f"{path}: member {missing[0]!r} is missing")


def _check_sums(members: dict[str, bytes], sums: bytes, path: Path) -> None:
    lines = sums.decode("ascii", errors="replace").splitlines()
    declared = {}
    for line in lines:
        match = re.fullmatch(r"([0-9a-f]{64})  (\S+)", line)
        if match is None:
            raise BundleError(f"{path}: {_CHECKSUMS} has a line that is no checksum: {line[:80]!r}")
        declared[match[2]] = match[1]
    if len(lines) != len(members) or set(declared) != set(members):
        raise BundleError(f"{path}: {_CHECKSUMS} does not list the members that are there")
    for name, content in members.items():
        if _sha256(content) != declared[name]:
            raise BundleError(f"{path}: member {name!r} does not match its checksum; copy it anew")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

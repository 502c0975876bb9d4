"""The images of a folder: what training and prediction both read, and what both leave out."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gaikan.errors import one_line
from gaikan.language.words import Words, joined, plain, say

ENDINGS = {".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".tif", ".tiff", ".webp"}
_MASKS = "ground_truth"  # of MVTec AD, beside `test`


def ending_of(name: str) -> str:
    """The ending of a file's name, in small letters, with its dot."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - for a million names


def is_image(name: str) -> bool:
    """Whether a file of this name is read as an image."""
    return ending_of(name) in ENDINGS


@dataclass
class LeftOut:
    """What was met in a folder and not read."""

    others: Counter[str] = field(default_factory=Counter)  # files, by their ending
    hidden: int = 0  # files and folders of systems: .DS_Store, @eaDir, __MACOSX
    dangling: list[str] = field(default_factory=list)  # links that lead nowhere
    repeated: int = 0  # links to what is read by its own name
    masks: int = 0  # images of `ground_truth`

    def add(self, other: "LeftOut") -> None:
        """Counts what was met elsewhere too."""
        self.others += other.others
        self.hidden += other.hidden
        self.dangling += other.dangling
        self.repeated += other.repeated
        self.masks += other.masks

    def notes(self) -> list[Words]:
        """A sentence for each kind that was met."""
        found = []
        if self.others:
            n, endings = (
                self.others.total(),
                joined(map(_of_ending, _most(self.others)), say("comma")),
            )
            found.append(
                say("file_no_image" if n == 1 else "files_no_images", n=n, endings=endings)
            )
        if self.hidden:
            found.append(say("files_hidden", n=self.hidden))
        if self.dangling:
            key = "link_nowhere" if len(self.dangling) == 1 else "links_nowhere"
            found.append(say(key, n=len(self.dangling), first=one_line(self.dangling[0])))
        if self.repeated:
            key = "link_repeated" if self.repeated == 1 else "links_repeated"
            found.append(say(key, n=self.repeated))
        if self.masks:
            found.append(say("masks_left_out", n=self.masks, folder=_MASKS))
        return found


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5]


def _of_ending(counted: tuple[str, int]) -> Words:
    ending, n = counted
    name = plain(one_line(ending)) if ending else say("without_ending")
    return say("files_of_ending", n=n, ending=name)


def images_in(folder: Path, left_out: LeftOut) -> Iterator[str]:
    """Paths of all images of a folder, its own first, then those of its folders, by name.

    Each file once: a link counts where it leads out of `folder`. No more than one folder's names
    are held, and those of folders still to be read.
    """
    for path in files_in(folder, left_out):
        if is_image(path):
            yield path
        else:
            left_out.others[ending_of(path)] += 1


def files_in(folder: Path, left_out: LeftOut) -> Iterator[str]:
    """As `images_in`, all files."""
    root = os.path.realpath(folder)
    seen_folders, seen_links = {_identity(root)}, set[str]()
    folders = [(str(folder), False)]
    while folders:
        path, is_mask = folders.pop()
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        within = []
        masks = any(entry.name == "test" for entry in entries)
        for entry in entries:
            if _is_hidden(entry.name):
                left_out.hidden += 1
                continue
            target = os.path.realpath(entry.path) if entry.is_symlink() else None
            if target is not None and not os.path.exists(target):  # noqa: PTH110
                left_out.dangling.append(entry.path)
            elif target is not None and (target in seen_links or _is_read(target, root)):
                left_out.repeated += 1
            elif entry.is_dir():
                identity = _identity(entry.path)
                if identity in seen_folders:
                    left_out.repeated += 1
                    continue
                seen_folders.add(identity)
                within.append((entry.path, is_mask or (masks and entry.name == _MASKS)))
            elif is_mask:
                left_out.masks += 1
            elif entry.is_file():
                if target is not None:
                    seen_links.add(target)
                yield entry.path
            else:  # a pipe, a device: reading it might never end
                left_out.others[ending_of(entry.name)] += 1
        folders += reversed(within)


def parquet_files_in(folder: Path) -> tuple[list[Path], LeftOut]:
    """The parquet files of a folder that holds no images, and what else there is."""
    left_out = LeftOut()
    found = []
    for path in files_in(folder, left_out):
        if is_image(path):
            return [], left_out
        if ending_of(path) == ".parquet":
            found.append(Path(path))
        elif not Path(path).name.startswith("_"):  # _SUCCESS, _metadata
            left_out.others[ending_of(path)] += 1
    return found, left_out


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "@eaDir", "__MACOSX")) or name in ("Thumbs.db", "desktop.ini")


def _is_read(target: str, root: str) -> bool:
    """Whether what a link leads to is met in the folder by its own name."""
    if target != root and not target.startswith(root + os.sep):
        return False
    names = Path(target).relative_to(root).parts
    return not any(map(_is_hidden, names)) and (is_image(target) or os.path.isdir(target))  # noqa: PTH112


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116
    return status.st_dev, status.st_ino

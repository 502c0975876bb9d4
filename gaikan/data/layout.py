"""What the folders around an image say of it: its class and its lot."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gaikan.data.listing import LeftOut, ending_of, files_in, is_image
from gaikan.data.names import check_name, check_text, composed
from gaikan.errors import DataError
from gaikan.language.words import Words, say

_TRAIN = {"train", "training"}
_TEST = {"test", "testing"}
_SPLITS = _TRAIN | _TEST | {"val", "valid", "validation", "dev"}
_MAY_STAND_BY = {"ground_truth"}
_EXPECTED = "/<class>/*.png"


@dataclass(frozen=True)
class Listed:
    """The images of a source: file, class and lot of each; how they were found."""

    files: list[Path]
    labels: list[str]
    groups: list[str] | None
    notes: list[Words]


def listed_by_folders(folder: Path, source: str) -> Listed:
    """The images of `folder/<class>/...`; a folder within that of a class is a lot.

    Where `train` holds good parts only and `test` all classes (MVTec AD), both are read. Raises
    DataError where the folders can be meant in several ways, naming what to give.
    """
    left_out = LeftOut()
    files = [Path(path) for path in files_in(folder, left_out)]
    images = [path for path in files if is_image(path.name)]
    left_out.others.update(ending_of(path.name) for path in files if not is_image(path.name))
    within = [path.relative_to(folder).parts for path in images]
    _refuse_splits(folder, within, source)
    anomaly = _is_anomaly_set(within)
    if anomaly:
        _refuse_empty_classes(folder, left_out, files, images, depth=2)
        within = [parts[1:] for parts in within]
    else:
        _refuse_empty_classes(folder, left_out, files, images, depth=1)
    beside = sum(len(parts) == 1 for parts in within)
    if beside == len(within):
        raise DataError(_no_classes(folder, source, images, left_out))
    kept = [(path, parts) for path, parts in zip(images, within, strict=True) if len(parts) > 1]
    for path, _ in kept:
        check_text(str(path), source)
    labels = [_name("label", parts[0], source) for _, parts in kept]
    notes = left_out.notes()
    if beside:
        notes.append(say("beside_classes", n=beside))
    if anomaly:
        notes.append(say("train_good_only"))
    groups, lot_notes = _lots([parts[1:-1] for _, parts in kept], source)
    return Listed([path for path, _ in kept], labels, groups, notes + lot_notes)


def _name(key: str, folder: str, source: str) -> str:
    """The class or lot that a folder is named after, also as `label=NAME` (Hive)."""
    name = composed(folder.removeprefix(f"{key}="))
    check_name(name, source)
    return name


def _lots(within: list[tuple[str, ...]], source: str) -> tuple[list[str] | None, list[Words]]:
    """The lot of each image, if all have one: the first folder within the class's.

    Where some have none there are no lots: to count each of these as one would promise something
    for new lots by lots that are none.
    """
    named = [parts for parts in within if parts]
    if not named:
        return None, []
    if alone := len(within) - len(named):
        return None, [say("images_without_lot", n=alone, of=len(within))]
    lots = [_name("group", parts[0], source) for parts in named]
    n_lots = len({parts[0] for parts in named})
    if n_lots == 1:
        return lots, [say("folder_is_lot", name=repr(named[0][0]))]
    return lots, [say("folders_are_lots", n=n_lots)]


def _no_classes(folder: Path, source: str, images: list[Path], left_out: LeftOut) -> str:
    """What is said of a folder without any class folder that has images."""
    if images:
        n = f"{len(images)} image{'s' if len(images) > 1 else ''}"
        tables = sorted(p.name for p in [*folder.glob("*.csv"), *folder.parent.glob("*.csv")])
        hint = f" (such as {tables[0]}?)" if tables else ""
        return (
            f"{source}: {n} and no class folders; put them into {source}{_EXPECTED}, or give a "
            f"table with columns path,label{hint}"
        )
    found = "; ".join(note.en for note in left_out.notes())
    return f"{source}: no class folders in it; expected {source}{_EXPECTED}" + (
        f" ({found})" if found else ""
    )


def _refuse_splits(folder: Path, within: list[tuple[str, ...]], source: str) -> None:
    """Raises DataError where the first folders are the parts of a split, not classes."""
    if _is_anomaly_set(within):
        return
    if _are_splits(within):
        first = sorted({parts[0] for parts in within if len(parts) > 1})
        train = next((name for name in first if name.lower() in _TRAIN), None)
        test = next((name for name in first if name.lower() in _TEST), None)
        test = test or next(name for name in first if name.lower() in _SPLITS - _TRAIN)
        remedy = f"--train {folder / train} --test {folder / test}" if train else "one of them"
        raise DataError(
            f"{source}: holds {', '.join(f'{name}/' for name in first)}, which are parts and no "
            f"classes; give {remedy}"
        )
    for name in sorted({parts[0] for parts in within if len(parts) > 2}):
        inner = [parts[1:] for parts in within if parts[0] == name]
        if _are_splits(inner):
            raise DataError(
                f"{source}: {name}/ holds {', '.join(sorted({p[0] for p in inner if len(p) > 1}))}"
                f", as a data set of its own; give {folder / name}"
            )


def _are_splits(within: list[tuple[str, ...]]) -> bool:
    """Whether these are `train`, `test`, ... and nothing else, two or more."""
    first = {parts[0].lower() for parts in within if len(parts) > 1}
    return len(first & _SPLITS) > 1 and not first - _SPLITS - _MAY_STAND_BY


def _is_anomaly_set(within: list[tuple[str, ...]]) -> bool:
    """Whether `train` has one class, and `test` has it and others (MVTec AD)."""
    classes: dict[str, set[str]] = {}
    for parts in within:
        if len(parts) > 2:
            classes.setdefault(parts[0], set()).add(parts[1])
    return (
        set(classes) == {"train", "test"}
        and all(len(parts) > 2 for parts in within)
        and len(classes["train"]) == 1
        and classes["train"] < classes["test"]
    )


def _refuse_empty_classes(
    folder: Path, left_out: LeftOut, files: list[Path], images: list[Path], depth: int
) -> None:
    """Raises DataError where a folder that would be a class has no image that is read."""
    with_images = {path.relative_to(folder).parts[:depth] for path in images}
    for path in sorted(folder.glob("/".join("*" * depth))):
        parts = path.relative_to(folder).parts
        read_otherwise = path.is_symlink() or path.name.startswith((".", "@eaDir", "__MACOSX"))
        if not path.is_dir() or read_otherwise or parts in with_images or parts[0] in _MAY_STAND_BY:
            continue
        endings = Counter(
            ending_of(p.name) for p in files if p.relative_to(folder).parts[:depth] == parts
        )
        dangling = sum(Path(p).is_relative_to(path) for p in left_out.dangling)
        if endings:
            held = ", ".join(f"{n} {end or 'without ending'}" for end, n in endings.most_common(3))
            raise DataError(f"{path}: no image in it that is read ({held}); convert or move them")
        if dangling:
            raise DataError(f"{path}: its {dangling} links lead nowhere; mend them")
        raise DataError(f"{path}: no images in this class folder; add some or remove it")

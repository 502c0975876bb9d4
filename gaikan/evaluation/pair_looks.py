"""How alike the images of a pair are: as they are, in other cuts, and in what both show."""

from dataclasses import dataclass

import numpy as np

from gaikan.data.room import room
from gaikan.evaluation.neighbours import MIDDLE, Grey, chunks
from gaikan.evaluation.spectra import (
    SIZE,
    Bools,
    Floats,
    Index,
    Spectra,
    by_turns,
    match,
    overlaps,
    richness,
    spectra,
    spots,
    spread,
    turn,
    turned,
)

_CUTS = (0.94, MIDDLE)  # shares of height and width that a cropped copy shows of the whole
_RICH = 300  # waves: of less is a straight edge, as many parts have
_MORE_THAN_A_SPOT = 18  # places
_PAIRS = 1024  # at once


@dataclass(frozen=True)
class Looked:
    """M images that are compared: their numbers, and what is known of each by its place here."""

    numbers: Index  # (M,) ascending
    grey: Grey
    whole: Spectra  # (M, 25, 25)
    signs: Floats  # (M, 4, K): `by_turns`
    rich: Bools  # (M,) of more than a straight edge or a spot

    @classmethod
    def at(cls, numbers: Index, grey: Grey) -> "Looked":
        """The images of those numbers."""
        whole = _spectra(numbers, grey)
        some = np.array_split(whole, -(-len(numbers) // _PAIRS))
        rich = [(richness(each) > _RICH) & (spots(each) > _MORE_THAN_A_SPOT) for each in some]
        signs = [by_turns(each) for each in some]
        return cls(numbers, grey, whole, np.concatenate(signs), np.concatenate(rich))

    def images(self, places: Index) -> Floats:
        """Images (P, H, W)."""
        return self.grey(self.numbers[places])

    def cut(self, places: Index, height: float, width: float) -> Spectra:
        """Spectra (P, 25, 25) of their middles, of that share of height and width."""
        return _spectra(self.numbers[places], self.grey, height, width)


@dataclass(frozen=True)
class Pairs:
    """P pairs of images by their places, how the second is turned, and how alike they are."""

    first: Index  # (P,)
    second: Index  # (P,)
    turns: Index  # (P,) 0..3
    value: Floats  # (P,) correlation at the best shift

    @classmethod
    def of(cls, images: Looked, first: Index, second: Index) -> "Pairs":
        """As they are."""
        turns = turn(images.signs, first, second)
        value = _correlation(images.whole, images.whole, first, second, turns)
        return cls(first, second, turns, value)

    @classmethod
    def of_middles(cls, images: Looked, first: Index, second: Index) -> "Pairs":
        """Of the first images with the middles of the second."""
        middle = images.cut(second, MIDDLE, MIDDLE)
        each = np.arange(len(first))
        parts = np.concatenate([images.signs[first], by_turns(middle)])
        turns = turn(parts, each, each + len(first))
        value = _correlation(images.whole, middle, first, each, turns)
        return cls(first, second, turns, value)

    def __add__(self, other: "Pairs") -> "Pairs":
        both = ((getattr(each, field) for each in (self, other)) for field in _FIELDS)
        return Pairs(*map(np.concatenate, map(list, both)))

    def at(self, some: Index) -> "Pairs":
        """Those at these places."""
        return Pairs(*(getattr(self, field)[some] for field in _FIELDS))


_FIELDS = ("first", "second", "turns", "value")


def in_other_cuts(images: Looked, pairs: Pairs) -> Floats:
    """The best of their `value` and of one image cropped, or of both to squares: (P,)."""
    places, local = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
    a, b = np.split(local, 2)
    full, value, turns = images.whole[places], pairs.value, pairs.turns
    for share in _CUTS:
        cut = images.cut(places, share, share)
        for of_a, of_b in ((cut, full), (full, cut)):
            value = np.maximum(value, _correlation(of_a, of_b, a, b, turns))
    height, width = images.images(places[:1]).shape[1:]
    side = min(height, width)
    square = images.cut(places, side / height, side / width)
    quarter = np.flatnonzero(turns >= 2)
    alike = _correlation(square, square, a[quarter], b[quarter], turns[quarter])
    value[quarter] = np.maximum(value[quarter], alike)
    return value


def in_overlaps(images: Looked, pairs: Pairs) -> Floats:
    """The best of their `value` and of no more than what both images show: (P,)."""
    value = pairs.value.copy()
    for some in chunks(np.arange(len(value)), images.grey):
        a, b, turns = pairs.first[some], pairs.second[some], pairs.turns[some]
        found = match(images.whole[a], turned(images.whole[b], turns))
        overlap = match(*overlaps(images.images(a), images.images(b), turns, found))
        value[some] = np.maximum(value[some], overlap.value)
    return value


def spread_of(images: Looked, image: Index, other: Index) -> Floats:
    """Over how many places (P,) what tells `image` from `other` spreads."""
    turns = turn(images.signs, image, other)
    places = np.empty(len(image), np.float32)
    for at in range(0, len(image), _PAIRS):
        some = slice(at, at + _PAIRS)
        here = images.whole[image[some]]
        there = turned(images.whole[other[some]], turns[some])
        places[some] = spread(here, match(here, there).moved(there))
    return places


def _spectra(index: Index, grey: Grey, height: float = 1, width: float = 1) -> Spectra:
    """The spectra (M, 25, 25) of those images or their middle, in a file if they are many."""
    found = room((len(index), SIZE, SIZE), np.complex64)
    for some in chunks(np.arange(len(index)), grey):
        found[some] = spectra(grey(index[some]), height, width)
    return found


def _correlation(
    of_first: Spectra, of_second: Spectra, first: Index, second: Index, turns: Index
) -> Floats:
    """The correlation (P,) of images by their place in the spectra, at the best shift."""
    value = np.empty(len(first), np.float32)
    for at in range(0, len(first), _PAIRS):
        some = slice(at, at + _PAIRS)
        other = turned(of_second[second[some]], turns[some])
        value[some] = match(of_first[first[some]], other).value
    return value

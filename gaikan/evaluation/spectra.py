"""Images as spectra, in which a shift is a phase and a turn is a change of signs.

An image becomes 32 x 32 means of its pixels, faded out at the rim; of its Fourier transform the
25 x 25 lowest frequencies are kept, and whitened: a magnitude m becomes m ** 0.1. So neither light,
nor contrast, nor the finest detail decides whether two images are of one part.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Spectra = NDArray[np.complex64]
Index = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.floating[Any]]

SIZE = 25  # of a spectrum, each way
_SIDE = 32
_HIGHEST = SIZE // 2  # frequency, in periods an image
_WHITENED = 0.1  # power of a magnitude
_RIM = 0.25  # of height and width, at each end, over which an image is faded out
_SHIFTS = np.arange(-9, 10) / 3  # of 32, each way
_OF_TURNS = 9  # highest frequency of what tells the turn
_SIGNS = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])


def spectra(grey: Floats, height: float = 1, width: float = 1) -> Spectra:
    """Of images (N, H, W), or the middle of them, of that share of height and width.

    (N, 25, 25), frequency 0 in the middle, each of length 1; 0 where there is no contrast.
    """
    down, across = (
        _means(length, np.array([(1 - share) / 2]), np.array([(1 + share) / 2]))
        for length, share in zip(grey.shape[1:], (height, width), strict=True)
    )
    return _of_means(down @ grey @ across.transpose(0, 2, 1))


def _of_means(images: Numbers) -> Spectra:
    """Of images (N, 32, 32)."""
    place = (np.arange(_SIDE) + 0.5) / _SIDE
    fade = np.sin(np.pi / 2 * (np.minimum(place, 1 - place) / _RIM).clip(max=1)) ** 2
    window = np.outer(fade, fade).astype(np.float32)
    mean = np.average(images.reshape(len(images), -1), 1, window.ravel())
    images = images - mean[:, None, None].astype(np.float32)
    half = scipy.fft.rfft2(images * window)[:, np.arange(-_HIGHEST, _HIGHEST + 1), : _HIGHEST + 1]
    rows, columns = np.mgrid[-_HIGHEST : _HIGHEST + 1, : _HIGHEST + 1]
    radius = np.hypot(rows, columns)
    half *= (_HIGHEST + 1 - radius).clip(0, 1) * (radius - 1).clip(0, 1)  # brightness goes, too
    magnitude = np.abs(half)
    half *= np.where(magnitude > 1e-3, np.maximum(magnitude, 1e-3) ** (_WHITENED - 1), 0)
    whole = np.concatenate([half[:, ::-1, :0:-1].conj(), half], 2)
    length = np.sqrt((np.abs(whole) ** 2).sum((1, 2), keepdims=True))
    return (whole / np.where(length > 0, length, 1)).astype(np.complex64)


def _means(length: int, low: Numbers, high: Numbers) -> Floats:
    """How much each of `length` pixels counts in each of 32 cells: (M, 32, length).

    The cells divide the stretch from `low` (M,) to `high`, as shares of the length.
    """
    steps = np.arange(_SIDE + 1) / _SIDE
    edges = length * (low[:, None] + (high - low)[:, None] * steps)[:, :, None]
    pixels = np.arange(length)
    start, end = np.maximum(edges[:, :-1], pixels), np.minimum(edges[:, 1:], pixels + 1)
    part = (end - start).clip(min=0)
    means: Floats = (part / part.sum(2, keepdims=True)).astype(np.float32)
    return means


def by_turns(spectra: Spectra) -> Floats:
    """Magnitudes as four parts, (N, 4, M), of which a turn does no more than change signs.

    They are even or odd under a mirror, and under an exchange of height and width. Half a turn
    leaves every magnitude as it is.
    """
    middle = slice(_HIGHEST - _OF_TURNS, _HIGHEST + _OF_TURNS + 1)
    whole = np.abs(spectra[:, middle, middle])
    mirrored = whole[:, ::-1]
    parts = []
    for half in (whole + mirrored, whole - mirrored):
        exchanged = half.transpose(0, 2, 1)
        parts += [half + exchanged, half - exchanged]
    rows, columns = np.mgrid[-_OF_TURNS : _OF_TURNS + 1, -_OF_TURNS : _OF_TURNS + 1]
    kept = (rows >= 0) & (columns >= rows)  # the rest repeats these
    return np.stack([part[:, kept] for part in parts], 1)


def turn(parts: Floats, first: Index, second: Index) -> Index:
    """By which of four turns each image of `second` (P,) comes nearest to that of `first`: 0..3.

    `parts` (N, 4, M) are those of `by_turns`.
    """
    alike = np.empty((len(first), 4), np.float32)
    for at in range(0, len(first), 2**14):
        some = slice(at, at + 2**14)
        alike[some] = np.einsum("pcm,pcm->pc", parts[first[some]], parts[second[some]])
    turns: Index = (alike @ _SIGNS.T).argmax(1)
    return turns


def turned(spectra: Spectra, turns: Index) -> Spectra:
    """A copy: as it is, mirrored, exchanged, or both."""
    found = spectra.copy()
    mirrored, exchanged = turns % 2 == 1, turns >= 2
    found[mirrored] = found[mirrored, ::-1]
    found[exchanged] = found[exchanged].transpose(0, 2, 1)
    return found


@dataclass(frozen=True)
class Match:
    """How well, and how, the second image of each of P pairs matches the first."""

    value: Floats  # (P,) correlation
    shift: Floats  # (P, 2) of the second, down and across, in 1/32 of an image
    is_half: Bools  # (P,) whether it is turned by half a turn before that

    def moved(self, second: Spectra) -> Spectra:
        """The spectra (P, 25, 25) of the second images, moved onto the first."""
        frequency = np.arange(-_HIGHEST, _HIGHEST + 1)
        down, across = np.exp(-2j * np.pi / _SIDE * self.shift.T[:, :, None] * frequency)
        moved = np.where(self.is_half[:, None, None], second.conj(), second)
        found: Spectra = moved * (down[:, :, None] * across[:, None, :])
        return found.astype(np.complex64)


def match(first: Spectra, second: Spectra) -> Match:
    """Of P pairs (P, 25, 25), the best of shifts by up to a tenth, and of none or half a turn.

    Half a turn conjugates a spectrum. Both correlations are real, so that one transform gives
    the two as its real and its imaginary part.
    """
    frequency = np.arange(-_HIGHEST, _HIGHEST + 1)
    waves = np.exp(2j * np.pi / _SIDE * np.outer(_SHIFTS, frequency)).astype(np.complex64)
    product = first * second.conj()
    product += 1j * (first * second)
    both = (waves @ (product @ waves.T)).reshape(len(first), -1)
    straight, half = both.real.argmax(1), both.imag.argmax(1)
    rows = np.arange(len(first))
    is_half = both.imag[rows, half] > both.real[rows, straight]
    best = np.where(is_half, half, straight)
    shift = np.stack([_SHIFTS[best // len(_SHIFTS)], _SHIFTS[best % len(_SHIFTS)]], 1)
    value = np.maximum(both.real[rows, straight], both.imag[rows, half])
    return Match(value, shift.astype(np.float32), is_half)


def overlaps(first: Floats, second: Floats, turns: Index, found: Match) -> tuple[Spectra, Spectra]:
    """Of P pairs of images (P, H, W), the spectra of no more than what both show.

    `found` matches the second, turned by `turns` (P,), with the first. The second spectra are
    turned.
    """
    mirrored, exchanged = turns % 2 == 1, turns >= 2
    upside_down = np.stack([mirrored ^ found.is_half, found.is_half], 1)  # rows, columns
    swapped = exchanged[:, None]
    # A spectrum that is turned turns about a corner of the middle cell, not its centre.
    shift = found.shift + np.where(swapped, upside_down[:, ::-1], upside_down)
    low, high = shift.clip(min=0) / _SIDE, 1 + shift.clip(max=0) / _SIDE
    of_first = _boxes(first, low, high)
    low, high = 1 - high, 1 - low
    low, high = (np.where(swapped, each[:, ::-1], each) for each in (low, high))
    low, high = np.where(upside_down, 1 - high, low), np.where(upside_down, 1 - low, high)
    of_second = _boxes(second, low, high)
    rows, columns = upside_down.T
    of_second[rows] = of_second[rows, ::-1]
    of_second[columns] = of_second[columns, :, ::-1]
    of_second[exchanged] = of_second[exchanged].transpose(0, 2, 1)
    return _of_means(of_first), _of_means(of_second)


def _boxes(grey: Floats, low: Numbers, high: Numbers) -> Floats:
    """32 x 32 means of a box in each image (P, H, W), from `low` (P, 2) to `high`, as shares."""
    down, across = (_means(grey.shape[1 + i], low[:, i], high[:, i]) for i in (0, 1))
    return (down @ grey @ across.transpose(0, 2, 1)).astype(np.float32, copy=False)


def richness(spectra: Spectra) -> Floats:
    """How many of 625 waves an image (N, 25, 25) is made of; a straight edge has about 260."""
    return _effective(np.abs(spectra) ** 2)


def spots(spectra: Spectra) -> Floats:
    """Over how many of 625 places an image (N, 25, 25) spreads; a spot on a plain part has 10."""
    return _effective(_images(spectra) ** 2)


def spread(first: Spectra, second: Spectra) -> Floats:
    """Over how many of 625 places the difference of two images (P, 25, 25) spreads.

    The lesser of two figures: whitened, where a spot outweighs a bright or dark side, and as the
    images are, where a line stays a line.
    """
    whitened = _effective((_images(first) - _images(second)) ** 2)
    plain = _effective((_images(_unwhitened(first)) - _images(_unwhitened(second))) ** 2)
    return np.minimum(whitened, plain)


def _images(spectra: Spectra) -> Floats:
    images: Floats = scipy.fft.ifft2(scipy.fft.ifftshift(spectra, axes=(1, 2))).real
    return images


def _unwhitened(spectra: Spectra) -> Spectra:
    """Of length 1 again."""
    found = spectra * np.abs(spectra) ** (1 / _WHITENED - 1)
    length = np.sqrt((np.abs(found) ** 2).sum((1, 2), keepdims=True))
    return (found / np.where(length > 0, length, 1)).astype(np.complex64)


def _effective(values: Floats) -> Floats:
    """How many of (N, ...) values make up the sum: the participation ratio, n if all are equal."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    square = (flat**2).sum(1)
    effective: Floats = flat.sum(1) ** 2 / np.where(square > 0, square, 1)
    return effective

"""Failure modes of a crimped terminal, one function each: sound surface in, defective one out.

A mode either changes the part and lays it out again (bent, deformed, short-insertion) or
changes the finished surface (the others). Place, size and strength come from `rng`.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from gaikan.data.terminal_scene import F32, Surface, lay, lay_out, ramp, smooth, wave

Mode = Callable[[Surface, Generator], Surface]

# Straight stretches of the metal's outline: from u, to u, half-width.
_CRACKS = np.array([(0, 2, 9), (3.5, 6, 10)])
_BURRS = np.array([(5.5, 12.5, 10), (13.2, 16, 4.5)])


def _ok(sound: Surface, rng: Generator) -> Surface:
    return sound


def _bent(sound: Surface, rng: Generator) -> Surface:
    """Box and tongue leave the axis, sideways and a little up or down."""
    n = len(sound.u)
    bend = _either_sign(rng, n, 0.22, 0.5)
    start = _uniform(rng, n, 1, 4)
    lift = _either_sign(rng, n, 0.05, 0.25)
    return lay_out(replace(sound.part, bend=bend, bend_from=start, lift=lift))


def _deformed(sound: Surface, rng: Generator) -> Surface:
    """The conductor barrel is crushed or bulges on one side, or its wings stand open."""
    n = len(sound.u)
    side = rng.random((n, 1, 1)) < 0.5
    bulge = -_uniform(rng, n, 2.2, 4)
    gapes = rng.random((n, 1, 1)) < 0.35
    opening = np.where(gapes, _uniform(rng, n, 0.9, 1.5), sound.part.opening)
    bulge = np.where(gapes, bulge * np.float32(0.3), bulge)
    part = replace(
        sound.part,
        opening=opening,
        bulge_up=np.where(side, bulge, 0).astype(np.float32),
        bulge_down=np.where(side, np.float32(0), bulge).astype(np.float32),
        seam=sound.part.seam + _either_sign(rng, n, 0.3, 1.2),
    )
    return lay_out(part)


def _short_insertion(sound: Surface, rng: Generator) -> Surface:
    """The wire ends too far left: no strands past the barrel, no insulation past the wings."""
    back = _uniform(rng, len(sound.u), 2.2, 5)
    return lay_out(replace(sound.part, insertion=sound.part.insertion - back))


def _scratch(sound: Surface, rng: Generator) -> Surface:
    """A straight, fine, bright line on the metal, with one dark flank."""
    n = len(sound.u)
    along, across = _line(sound, rng)
    half = _uniform(rng, n, 4, 7)
    inside = sound.metal * ramp(half - np.abs(along))
    width = _uniform(rng, n, 0.6, 0.9)
    strength = _uniform(rng, n, 0.9, 1.6)
    bright = inside * _bell(across / width) * strength
    dark = inside * _bell((across - 1) / width) * strength
    albedo = sound.albedo * (1 - dark * np.float32(0.6)) + bright * np.float32(0.5)
    return replace(sound, albedo=albedo)


def _crack(sound: Surface, rng: Generator) -> Surface:
    """A dark jagged line that starts at an edge and tapers off towards the axis."""
    n = len(sound.u)
    u, half, side = _edge_site(rng, n, _CRACKS)
    depth = half - sound.v * side  # px from the edge inwards
    length = _uniform(rng, n, 7, 13)
    jag = wave(depth * _uniform(rng, n, 0.2, 0.35) + _uniform(rng, n, 0, 1))
    path = u + depth * _uniform(rng, n, -0.45, 0.45) + jag * _uniform(rng, n, 0.3, 0.7)
    width = _uniform(rng, n, 0.8, 1.3) * np.clip(1 - depth / length, 0, 1) ** np.float32(0.5)
    cover = sound.metal * ramp(width - np.abs(sound.u - path)) * (depth < length)
    return _covered(sound, cover, albedo=0.03, gloss=0, metal=1)


def _burr(sound: Surface, rng: Generator) -> Surface:
    """Slivers of metal that stand out from an edge."""
    n = len(sound.u)
    u, half, side = _edge_site(rng, n, _BURRS)
    burred = sound
    for extra in (0, _uniform(rng, n, 1.5, 3)):
        height = _uniform(rng, n, 2.5, 4.5)
        base = _uniform(rng, n, 1, 1.9)
        out = sound.v * side - half
        lean = out * _uniform(rng, n, -0.5, 0.5)
        taper = base * (1 - out / height) - np.abs(sound.u - u - extra - lean)
        cover = ramp(np.minimum(taper, out + 1))
        albedo = sound.part.metal * _uniform(rng, n, 1, 1.4)
        burred = _covered(burred, cover, albedo=albedo, gloss=0.5, metal=1)
    return burred


def _plating_loss(sound: Surface, rng: Generator) -> Surface:
    """A ragged patch where the plating is gone: dull, dark base metal, sharp edge."""
    n = len(sound.u)
    centre_u, centre_v = _uniform(rng, n, 5, 14), _uniform(rng, n, -5, 5)
    inside = _blob(sound, rng, centre_u, centre_v, _uniform(rng, n, 2.6, 4.8), ragged=0.5)
    cover = sound.metal * ramp(inside)
    tint = _uniform(rng, n, 0.3, 0.55)
    return replace(
        sound,
        albedo=sound.albedo + cover * (tint - 1) * sound.albedo,
        gloss=sound.gloss * (1 - cover * np.float32(0.9)),
    )


def _discolouration(sound: Surface, rng: Generator) -> Surface:
    """A wide stain with no edge, as from heat or oxide: darker metal, highlights kept."""
    n = len(sound.u)
    du = (sound.u - _uniform(rng, n, -7, 3)) / _uniform(rng, n, 4, 8)
    dv = (sound.v - _uniform(rng, n, -6, 6)) / _uniform(rng, n, 6, 14)
    stain = sound.metal * _bell(np.sqrt(du * du + dv * dv))
    strength = _uniform(rng, n, 0.35, 0.7)
    return replace(
        sound,
        albedo=sound.albedo * (1 - stain * strength),
        gloss=sound.gloss * (1 - stain * strength * np.float32(0.4)),
    )


def _contamination(sound: Surface, rng: Generator) -> Surface:
    """Grit or a fibre that lies on the part, on metal or not."""
    n = len(sound.u)
    centre_u, centre_v = _uniform(rng, n, -14, -4), _uniform(rng, n, -8, 8)
    grit = ramp(_blob(sound, rng, centre_u, centre_v, _uniform(rng, n, 1.8, 3.2), ragged=0.25))
    along, across = _line(sound, rng)
    arc = across + along * along * _either_sign(rng, n, 0.02, 0.07)
    fibre = ramp(_uniform(rng, n, 0.4, 0.6) - np.abs(arc)) * ramp(6 - np.abs(along))
    cover = np.where(rng.random((n, 1, 1)) < 0.2, fibre, grit)
    dark = rng.random((n, 1, 1)) < 0.6
    albedo = np.where(dark, _uniform(rng, n, 0.02, 0.1), _uniform(rng, n, 0.8, 1))
    return _covered(sound, cover, albedo=albedo, gloss=0, metal=0)


MODES: dict[str, Mode] = {
    "ok": _ok,
    "bent": _bent,
    "deformed": _deformed,
    "short-insertion": _short_insertion,
    "scratch": _scratch,
    "crack": _crack,
    "burr": _burr,
    "plating-loss": _plating_loss,
    "discolouration": _discolouration,
    "contamination": _contamination,
}


def _uniform(rng: Generator, n: int, low: float, high: float) -> F32:
    return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)


def _either_sign(rng: Generator, n: int, low: float, high: float) -> F32:
    return _uniform(rng, n, low, high) * np.where(rng.random((n, 1, 1)) < 0.5, -1, 1).astype(
        np.float32
    )


def _bell(x: F32) -> F32:
    """A bump of height 1 at x = 0 that ends at |x| = 2."""
    return smooth(1 - np.abs(x) / 2)


def _edge_site(rng: Generator, n: int, sites: F32) -> tuple[F32, F32, F32]:
    """A place on the metal's outline: u, half-width there, side (-1 or 1), each (n, 1, 1)."""
    start, stop, half = sites[rng.integers(len(sites), size=n)].T[..., None, None]
    u = start + (stop - start) * rng.random((n, 1, 1))
    side = np.where(rng.random((n, 1, 1)) < 0.5, -1, 1)
    return u.astype(np.float32), half.astype(np.float32), side.astype(np.float32)


def _line(sound: Surface, rng: Generator) -> tuple[F32, F32]:
    """Coordinates along and across a line of random place and direction on the part."""
    n = len(sound.u)
    angle = rng.uniform(0.35, 1.2, (n, 1, 1)) * np.where(rng.random((n, 1, 1)) < 0.5, -1, 1)
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    du = sound.u - _uniform(rng, n, 2, 13)
    dv = sound.v - _uniform(rng, n, -4, 4)
    return du * cos + dv * sin, dv * cos - du * sin


def _blob(
    sound: Surface, rng: Generator, centre_u: F32, centre_v: F32, radius: F32, ragged: float
) -> F32:
    """Signed distance (roughly, px) to the edge of an irregular spot, positive inside."""
    n = len(sound.u)
    stretch = _uniform(rng, n, 0.7, 1.4)
    du, dv = (sound.u - centre_u) * stretch, (sound.v - centre_v) / stretch
    rough = wave(du * _uniform(rng, n, 0.2, 0.35) + dv * _uniform(rng, n, -0.3, 0.3))
    rough = rough + wave(dv * _uniform(rng, n, 0.2, 0.35) + du * _uniform(rng, n, -0.3, 0.3))
    return radius * (1 + np.float32(ragged / 2) * rough) - np.sqrt(du * du + dv * dv)


def _covered(
    sound: Surface, cover: F32, albedo: F32 | float, gloss: float, metal: float
) -> Surface:
    """A copy of `sound` under a flat material."""
    copy = replace(
        sound,
        **{k: getattr(sound, k).copy() for k in ("slope_u", "slope_v", "albedo", "gloss", "metal")},
    )
    lay(copy, cover, 0, 0, albedo, gloss, metal)
    return copy

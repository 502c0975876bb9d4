"""A crimped connector terminal seen from above: its shape, its light and its camera.

The part lies along u (wire at the left, contact at the right) and is symmetric about v = 0;
both are in pixels of the final image. Surfaces are laid over one another as maps of slope,
albedo and gloss, shaded once, and averaged down to the sensor.

Pixel maps go through + - * / and sqrt only: those are correctly rounded everywhere, whereas
numpy's float32 exp and sin differ in the last bit between processors, and the fingerprint of
the images would differ with them.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

# float32 arrays throughout; numpy's stubs lose track of that in arithmetic with Python numbers.
F32 = Any
Index = NDArray[np.int64]

HEIGHT, WIDTH = 36, 39
OVERSAMPLE = 2  # sub-pixels per pixel and axis


@dataclass(frozen=True)
class Batch:
    """n things of a kind: every field is an array of n rows."""

    def take(self, index: Index) -> Self:
        """The things at `index` (m,), in that order."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(
            self,
            **{k: v.take(index) if isinstance(v, Batch) else v[index] for k, v in values.items()},
        )


@dataclass(frozen=True)
class Part(Batch):
    """All that fixes n pictures of sound parts but for the sensor's noise.

    Each field is (n, 1, 1) float32, `grain` is a map. Lengths in pixels, angles in radians,
    albedos and light in 0..1.
    """

    shift_x: F32
    shift_y: F32
    angle: F32
    size: F32
    light_u: F32  # where the highlight sits: the slope that mirrors the lamp into the camera
    light_v: F32
    power: F32
    ambient: F32
    metal: F32
    gloss: F32
    spread: F32  # width of the highlight, in slope
    wire: F32  # albedo of the insulation
    ground: F32  # albedo of the fixture
    ground_tilt: F32
    tone: F32
    vignette: F32
    blur: F32
    wings: F32  # half-widths
    barrel: F32
    box: F32
    seam: F32
    insertion: F32  # how much further right than nominal the wire ends
    opening: F32  # half-width of the slit between the wings of the conductor barrel
    bulge_up: F32  # how far the conductor barrel bulges beyond its half-width, v < 0 and v > 0
    bulge_down: F32
    bend_from: F32
    bend: F32  # tangent of the angle by which the part is bent beyond `bend_from`
    lift: F32
    grain: F32  # (n, H, W): relative unevenness of the metal


@dataclass(frozen=True)
class Surface(Batch):
    """What n lamps and cameras look at: maps (n, H, W) float32 on the fine grid."""

    part: Part
    u: F32
    v: F32
    slope_u: F32
    slope_v: F32
    albedo: F32
    gloss: F32
    metal: F32  # coverage by metal, 0..1


def ramp(distance: F32) -> F32:
    """Coverage 0..1 of a sub-pixel whose centre is `distance` px inside an edge."""
    return np.clip(distance * OVERSAMPLE + np.float32(0.5), 0, 1)


def wave(phase: F32) -> F32:
    """Triangle wave -1..1 of period 1."""
    return np.abs(phase - np.floor(phase) - np.float32(0.5)) * 4 - 1


def cube(x: F32) -> F32:
    """X * x * x: ten times as fast as `x**3`."""
    return x * x * x


def smooth(x: F32) -> F32:
    """Smooth step 0..1 over x in 0..1."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def lay_out(part: Part) -> Surface:
    """The surface of a part under its own pose, fixture and all."""
    u, v = _coordinates(part)
    surface = _ground(part, u, v)
    _floor(surface)
    _wire(surface)
    _wings(surface)
    _transition(surface)
    _barrel(surface)
    _box(surface)
    _tongue(surface)
    beyond = np.clip(u - part.bend_from, 0, 1) * surface.metal
    np.add(surface.slope_u, part.lift * beyond, out=surface.slope_u)
    return surface


def lay(
    surface: Surface,
    cover: F32,
    slope_u: F32 | float,
    slope_v: F32 | float,
    albedo: F32 | float,
    gloss: F32 | float,
    metal: float = 1,
) -> None:
    """Cover `surface` in place with a material, `cover` (n, H, W) in 0..1."""
    for below, above in (
        (surface.slope_u, slope_u),
        (surface.slope_v, slope_v),
        (surface.albedo, albedo),
        (surface.gloss, gloss),
        (surface.metal, metal),
    ):
        below += cover * (above - below)


def photograph(surface: Surface) -> F32:
    """Shade and image: (n, 36, 39) float32 in grey levels, without the sensor's noise."""
    p = surface.part
    su, sv = surface.slope_u, surface.slope_v
    upright = np.sqrt(np.maximum(1 - su * su - sv * sv, np.float32(0.05)))
    diffuse = np.maximum(upright + su * p.light_u + sv * p.light_v, 0)
    miss = (su - p.light_u / 2) ** 2 + (sv - p.light_v / 2) ** 2
    lobe = 1 / (1 + miss / (p.spread * p.spread)) ** 2
    light = surface.albedo * (p.ambient + p.power * diffuse) + surface.gloss * p.power * lobe
    n = len(light)
    light = light.reshape(n, HEIGHT, OVERSAMPLE, WIDTH, OVERSAMPLE)
    image = _average(light)
    image = _blur(_blur(image, p.blur, 1), p.blur, 2)
    image *= 1 - p.vignette * _off_centre()
    image = image * (1 + p.tone) / (1 + p.tone * image)
    # The knee: above 0.75 the response flattens, so that a highlight is bright but not clipped.
    over = np.maximum(image - np.float32(0.75), 0)
    image = image - over + over / (1 + 4 * over)
    return 10 + 245 * image


def _average(light: F32) -> F32:
    """Mean over the sub-pixels of each pixel, in a fixed order."""
    total = light[:, :, 0, :, 0].copy()
    for i in range(OVERSAMPLE):
        for j in range(OVERSAMPLE):
            if i or j:
                total += light[:, :, i, :, j]
    return total / OVERSAMPLE**2


def _blur(image: F32, weight: F32, axis: int) -> F32:
    """Three-tap blur, `weight` (n, 1, 1) on each neighbour; edges repeat."""
    pad = [(0, 0)] * 3
    pad[axis] = (1, 1)
    wide = np.pad(image, pad, mode="edge")
    before, after = (wide[:, :-2], wide[:, 2:]) if axis == 1 else (wide[:, :, :-2], wide[:, :, 2:])
    return image + weight * (before + after - 2 * image)


def _off_centre() -> F32:
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j].astype(np.float32)
    return (x * x + y * y)[None] / 2


def _coordinates(part: Part) -> tuple[F32, F32]:
    steps_y = (np.arange(HEIGHT * OVERSAMPLE, dtype=np.float32) + 0.5) / OVERSAMPLE - HEIGHT / 2
    steps_x = (np.arange(WIDTH * OVERSAMPLE, dtype=np.float32) + 0.5) / OVERSAMPLE - WIDTH / 2
    x = steps_x[None, None, :] - part.shift_x
    y = steps_y[None, :, None] - part.shift_y
    cos = (np.cos(part.angle.astype(np.float64))).astype(np.float32)
    sin = (np.sin(part.angle.astype(np.float64))).astype(np.float32)
    u = (x * cos + y * sin) / part.size
    v = (y * cos - x * sin) / part.size
    return u, v - part.bend * np.maximum(u - part.bend_from, 0)


def _ground(part: Part, u: F32, v: F32) -> Surface:
    """The fixture, with the soft shadow of the part on it."""
    x = np.linspace(-1, 1, WIDTH * OVERSAMPLE, dtype=np.float32)
    shade_u, shade_v = u + 3 * part.light_u, v + 3 * part.light_v
    depth = np.minimum(part.box + 1.5 - np.abs(shade_v), 15.5 - shade_u)
    shadow = smooth(depth / 4 + np.float32(0.5))
    albedo = part.ground * (1 + part.ground_tilt * x) * (1 - np.float32(0.35) * shadow)
    zero = np.zeros_like(u)
    return Surface(part, u, v, zero, zero.copy(), albedo, zero.copy(), zero.copy())


def _floor(s: Surface) -> None:
    """The strip that carries everything, seen between the wings and the barrel."""
    p = s.part
    cover = ramp(np.minimum(np.float32(6.8) - np.abs(s.v), np.minimum(s.u + 12, 6 - s.u)))
    lay(s, cover, 0, 0, p.metal * 0.6 * p.grain, p.gloss * 0.3)


def _wire(s: Surface) -> None:
    """Strands, and the insulation over them."""
    p = s.part
    t = np.clip(s.v / 5, -1, 1)
    cover = ramp(np.minimum(5 - np.abs(s.v), p.insertion + np.float32(2.6) - s.u))
    twist = wave(s.v * np.float32(0.36) + s.u * np.float32(0.1))
    lay(s, cover, 0, t * 0.6 + twist * 0.35, p.metal * 0.85, p.gloss * 0.5, 0)
    t = np.clip(s.v / np.float32(8.0), -1, 1)
    cover = ramp(np.minimum(np.float32(8.0) - np.abs(s.v), p.insertion - 9 - s.u))
    lay(s, cover, 0, t * 0.93, p.wire, 0.12, 0)


def _wings(s: Surface) -> None:
    """The insulation barrel: two wings folded round the insulation, one tip over the other."""
    p = s.part
    t = np.clip(s.v / p.wings, -1, 1)
    along = (s.u + np.float32(12.9)) / np.float32(2.4)
    cover = ramp(np.minimum(p.wings - np.abs(s.v), np.float32(2.4) * (1 - np.abs(along))))
    lay(s, cover, cube(along) * 0.45, t * 0.93, p.metal * p.grain, p.gloss)
    slit = np.abs(s.v - p.seam - along * np.float32(1.3))
    lay(s, cover * ramp(np.float32(0.4) - slit), 0, 0, p.metal * 0.45, 0)


def _barrel(s: Surface) -> None:
    """The conductor barrel: a B crimp, two lobes that meet in a groove, flared at both ends."""
    p = s.part
    along = (s.u + np.float32(3.5)) / 4
    belly = np.maximum(1 - along * along, 0)
    half = p.barrel + np.where(s.v < 0, p.bulge_up, p.bulge_down) * belly
    flare = np.maximum(np.abs(along) - np.float32(0.75), 0) * 2
    inside = np.minimum(half + flare - np.abs(s.v), 4 * (1 - np.abs(along)))
    cover = ramp(inside)
    off = s.v - p.seam * belly
    lobe = np.clip(2 * np.abs(off) / half - 1, -1, 1)
    slope_v = np.where(off < 0, -lobe, lobe) * np.float32(0.88)
    lay(s, cover, cube(along) * 0.5, slope_v, p.metal * p.grain, p.gloss)
    slit = ramp(p.opening * (np.float32(0.4) + belly) - np.abs(off))
    lay(s, cover * slit, 0, 0, p.metal * 0.2, 0)


def _transition(s: Surface) -> None:
    """The open channel between barrel and box: a dark floor between bright walls."""
    p = s.part
    half = np.float32(6.8) + np.clip(s.u, 0, 5) * ((p.box - np.float32(6.8)) / 5)
    wall = half - np.abs(s.v)
    cover = ramp(np.minimum(wall, np.minimum(s.u, np.float32(5.5) - s.u)))
    cover = cover * (1 - ramp(wall - np.float32(1.5)))
    lay(s, cover, 0, np.copysign(np.float32(0.35), s.v), p.metal * 1.0 * p.grain, p.gloss * 0.4)


def _box(s: Surface) -> None:
    """The contact box: flat, rounded edges, a window for the lance, a raised lip."""
    p = s.part
    t = np.clip(s.v / p.box, -1, 1)
    along = (s.u - 9) / 4
    edge = np.minimum(p.box - np.abs(s.v), 4 * (1 - np.abs(along)))
    cover = ramp(edge)
    lay(s, cover, cube(along) * 0.55, cube(t) * 0.88, p.metal * p.grain, p.gloss)
    window = np.minimum(np.float32(2.8) - np.abs(s.v), np.float32(1.6) - np.abs(s.u - 9))
    lay(s, ramp(window), 0, 0, p.metal * 0.4, 0)
    joint = np.float32(0.3) - np.abs(s.v - np.float32(6))
    lay(s, cover * ramp(joint), 0, 0, p.metal * 0.5, p.gloss * 0.3)


def _tongue(s: Surface) -> None:
    """The tip, tapered and rounded."""
    p = s.part
    half = np.float32(4.8) - np.clip(s.u - 13, 0, 6) * np.float32(0.3)
    cover = ramp(np.minimum(half - np.abs(s.v), np.minimum(s.u - 13, 17 - s.u)))
    t = np.clip(s.v / 5, -1, 1)
    rise = np.clip((s.u - 13) / 4, 0, 1)
    lay(s, cover, rise * rise * 0.5 - 0.1, t * 0.6, p.metal * p.grain, p.gloss)

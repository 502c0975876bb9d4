"""What a run keeps so that it can be timed and scored again where its data source is not."""

from dataclasses import dataclass

import numpy as np

from gaikan.data.frames import Images
from gaikan.evaluation.experiment import Experiment
from gaikan.seeds import stream
from gaikan.system.store import Tensors, key_of, pack, unpack

_CALIBRATION_IMAGES = 256


@dataclass(frozen=True)
class Inputs:
    """Raw test images, and of each seed the fit images that int8 models are calibrated on."""

    images: Images  # (N, C, H, W)
    labels: tuple[str, ...]  # N names of the actual classes
    classes: tuple[str, ...]  # of the networks
    calibration: dict[int, Images]  # by seed, (M, C, H, W)

    @classmethod
    def of(cls, experiment: Experiment) -> "Inputs":
        """Calibration images are drawn from the fit part: no test image has a say in a model."""
        train, test = experiment.train, experiment.test
        calibration = {}
        for seed, parts in experiment.parts.items():
            count = min(_CALIBRATION_IMAGES, len(parts.fit))
            rows = stream(seed, "calibration").choice(parts.fit, count, replace=False)
            calibration[seed] = train.images[np.sort(rows)]
        return cls(test.images, tuple(test.names.tolist()), train.classes, calibration)

    @staticmethod
    def key(experiment: Experiment) -> str:
        """The store key of `of(experiment)`."""
        parts = {seed: parts.fit.tolist() for seed, parts in experiment.parts.items()}
        prints = [experiment.train.fingerprint, experiment.test.fingerprint]
        return key_of({"inputs": prints, "parts": parts, "calibration": _CALIBRATION_IMAGES})

    def pack(self) -> bytes:
        """As a store entry."""
        tensors: Tensors = {"images": self.images}
        tensors |= {f"calibration.{seed}": images for seed, images in self.calibration.items()}
        return pack(tensors, {"labels": self.labels, "classes": self.classes})

    @classmethod
    def unpack(cls, content: bytes) -> "Inputs":
        """From a store entry."""
        tensors, description = unpack(content)
        named = "calibration."
        seeds = {name: int(name.removeprefix(named)) for name in tensors if name.startswith(named)}
        calibration = {seed: tensors[name] for name, seed in seeds.items()}
        labels, classes = (tuple(description[key]) for key in ("labels", "classes"))
        return cls(tensors["images"], labels, classes, calibration)

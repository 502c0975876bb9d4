"""What a run is of: images, told apart by their fingerprints, or weights that were imported."""

from gaikan.config.stages import TomlSection


class Source(TomlSection):
    """Images, or weights that were imported. The fingerprint alone tells one from another."""

    name: str  # as it was given
    images: int | None = None
    shape: str | None = None
    fingerprint: str

    def __str__(self) -> str:
        return self.name if self.images is None else f"{self.name} ({self.images} of {self.shape})"


class RunSources(TomlSection):
    """Of a run; `test` is absent where it is split off, `weights` where they are trained."""

    train: Source
    test: Source | None = None
    weights: Source | None = None

    def __str__(self) -> str:
        return ", ".join(f"{part} {source}" for part, source in self._parts().items())

    def is_of(self, other: "RunSources") -> bool:
        """Whether both are of the same content, whatever it is called."""
        own, others = self._parts(), other._parts()
        return own.keys() == others.keys() and all(
            own[part].fingerprint == others[part].fingerprint for part in own
        )

    def _parts(self) -> dict[str, Source]:
        parts = {"train": self.train, "test": self.test, "weights": self.weights}
        return {part: source for part, source in parts.items() if source is not None}

"""What every architecture takes and gives."""

EMBEDDING_SIZE = 128

ImageShape = tuple[int, int, int]  # channels, height, width

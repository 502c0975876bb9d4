"""From decisions to figures: what networks are worth on parts that they have not seen."""

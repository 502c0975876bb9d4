"""How unlike the fit images a part is, and what that says of a new part."""

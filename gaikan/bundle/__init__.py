"""The bundle that goes to the line: open, check, run, enrol. Base install only, no torch.

A bundle is a zip file of fixed members: the graph from raw image to class, the card that describes
it, some validation embeddings, and a checksum for each.
"""

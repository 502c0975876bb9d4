"""From fit images to a trained network and its embeddings."""

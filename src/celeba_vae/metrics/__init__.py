"""How good reconstructions and generated images are, in numbers."""

"""From original images to arrays."""

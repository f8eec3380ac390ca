"""Points of the latent space: where they come from and what is done with them."""

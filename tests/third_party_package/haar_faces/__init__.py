"""An encoder and a decoder on Haar wavelets, and a robust loss, for celeba-vae."""

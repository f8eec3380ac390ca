"""An encoder and a decoder on Haar wavelets, a robust loss, a sampler and an enhancer, for celeba-vae."""

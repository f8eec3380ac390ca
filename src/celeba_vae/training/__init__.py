"""How models are trained. Importing this package loads no TensorFlow."""

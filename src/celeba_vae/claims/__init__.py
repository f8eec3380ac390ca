"""The articles' claims, and the evidence for each."""

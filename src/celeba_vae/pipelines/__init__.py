"""One package a pipeline: thin nodes, declarative pipelines."""

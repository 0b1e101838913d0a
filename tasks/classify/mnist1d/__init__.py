"""MNIST-1D: series of 40 steps in ten classes."""

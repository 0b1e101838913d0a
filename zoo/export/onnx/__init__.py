"""Nets as ONNX graphs, built by hand from the weights of their layers."""

"""Plots of what happens inside a recurrent net: gradients and Jacobians through time, gates, memory length."""

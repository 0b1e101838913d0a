"""Short clips of moving, bouncing, hiding, appearing and merging objects, a label for each frame."""

"""Short clips of moving, bouncing, hiding, appearing and merging objects, with one label per frame."""

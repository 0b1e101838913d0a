"""Drawn scenes of colored shapes with true English captions, and a checker that tells true from false."""

"""SavedModel and LiteRT as formats of exports: both are graphs that TensorFlow traces and writes."""

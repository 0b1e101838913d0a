"""Many-to-many, in step: frames of a clip, words or measurements in, a label for each of them out."""

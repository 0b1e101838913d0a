"""`zoo inspect`: what a training would see of a data set."""

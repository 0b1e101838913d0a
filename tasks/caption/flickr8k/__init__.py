"""Flickr8k: photographs with five English captions each; the user puts its archives there by hand."""

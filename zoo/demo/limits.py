"""Bounds of the page."""

PORT = 7860
"""The port that is tried first: gradio's own."""

PORTS = 20
"""Ports that are tried where none is named."""

MOST_UPLOADED = 10_000_000
"""Bytes of the largest file that may be uploaded."""

MOST_WAITING = 32
"""Inputs that wait for an answer; further ones are refused until some are answered."""

KEPT_SECONDS = 3600
"""Uploaded files are deleted after this time, and all at the end."""

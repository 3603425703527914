"""Notebook 03: how large images are, and what their bytes are."""

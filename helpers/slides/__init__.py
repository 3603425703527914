"""Slides of a run."""

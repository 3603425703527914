"""Build, scan, load, compare and chart the same app on several base images."""

__version__ = "0.1.0"

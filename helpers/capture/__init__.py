"""Capture evidence: build, scan, read and start images."""

"""Captures fleets: many images, each distinct package list scanned once."""

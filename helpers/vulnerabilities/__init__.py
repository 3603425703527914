"""Notebook 02: what scanners found, counted fairly."""

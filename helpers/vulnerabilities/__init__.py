"""Notebooks 02 and 05: what scanners found, counted fairly."""

"""Reads images from registries, each file once."""

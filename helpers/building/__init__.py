"""Builds images from Dockerfiles, and keeps what the builder said."""

"""Scans with Trivy and its database, and what goes into a scan and comes out of it."""

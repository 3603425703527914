"""Scanners' reports: Trivy's and Grype's JSON, decoded and typed."""

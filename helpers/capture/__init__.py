"""Makes evidence: builds, scans, takes apart and starts images."""

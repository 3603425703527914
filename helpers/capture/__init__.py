"""Makes evidence: builds, scans, reads and starts images."""

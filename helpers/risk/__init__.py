"""Which vulnerabilities matter: exploited, likely to be, declared harmless."""

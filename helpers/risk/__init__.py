"""Which of the vulnerabilities matter: exploited, likely to be, declared harmless."""

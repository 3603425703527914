"""VEX documents: what somebody states about vulnerabilities in a product, in three formats."""

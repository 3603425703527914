"""Whether like is compared with like."""

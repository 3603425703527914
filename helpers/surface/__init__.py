"""Notebook 04: what an attacker finds, and what the scanner does not see."""

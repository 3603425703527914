"""Runs: notebooks executed headlessly, and the report."""

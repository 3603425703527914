"""The contents of notebooks."""

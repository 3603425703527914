"""What a change of an image brought, and whether that fails a check."""

"""What a notebook holds and shows."""

"""The verdict: claims, trade-off, and which image to ship."""

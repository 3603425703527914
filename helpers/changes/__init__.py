"""What changed between two scans of an image, and why: the one engine of gate and history."""

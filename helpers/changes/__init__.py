"""What changed between two scans of an image, and why; shared by gate and history."""

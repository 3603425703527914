"""Which tag to move to from an image: candidates of registries, constraints, and the answer."""

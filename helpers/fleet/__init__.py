"""Many images: read on a cluster, and asked what moving them would change."""

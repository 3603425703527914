"""Studies on disk: captures, and the frames that they become."""

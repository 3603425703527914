"""Images: archives, layers, files and what they are."""

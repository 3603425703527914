"""05: the same images over a whole series of captures."""

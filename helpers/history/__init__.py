"""05: the same images over a series of captures."""

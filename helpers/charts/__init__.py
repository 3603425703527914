"""Chart data drawn with matplotlib."""

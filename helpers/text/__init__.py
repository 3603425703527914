"""Words: translation, structured text and what is inert where it is shown."""

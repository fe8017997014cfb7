"""Work in the background that people can watch, and who does it."""

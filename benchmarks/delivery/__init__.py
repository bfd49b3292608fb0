"""Speed and memory of the commit and of each sink."""

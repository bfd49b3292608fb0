"""What persists between runs."""

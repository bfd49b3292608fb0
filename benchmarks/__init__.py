"""Speed, cost and quality, measured; nothing here is shipped."""

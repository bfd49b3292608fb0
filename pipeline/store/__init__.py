"""What persists between runs: seen articles, events, alerts, outbox, feed states and failures."""

"""Mentions to events: what several outlets tell together."""

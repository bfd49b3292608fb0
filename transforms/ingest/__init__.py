"""Feeds to articles: fetch, parse, clean, identify."""

"""Invented outlets for trying trucewatch without a network: feeds, the list of outlets, a local server."""

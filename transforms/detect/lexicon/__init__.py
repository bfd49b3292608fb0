"""The lexicons as package data: one `triggers.<language>.toml` per language."""

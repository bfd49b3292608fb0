"""The commands, a module a group; each parses, calls and prints."""

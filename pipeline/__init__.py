"""How trucewatch is run: configuration, graph, store, commands."""

"""How far trucewatch scales: rates of the stages, and the stream on Flink with 1, 2 and 4 slots (docs/scale.md)."""

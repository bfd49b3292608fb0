"""The streaming graph on a real Flink cluster: what tests, `make flink` and the scale figures run on.

Beam's own Flink runner is a Java program. Where it cannot be had, `translate` puts the same DoFns, with their state and
timers, on Flink's DataStream API, so that what Flink does to them (checkpoints, restarts, the spread over slots) is
seen all the same. None of this is part of the product.
"""

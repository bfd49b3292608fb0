"""How well and how fast events are detected, and the training of the judgement."""

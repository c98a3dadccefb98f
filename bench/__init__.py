"""Benchmarks of the bridge and the engine; ``make bench`` runs them.

The load is one talk as a real one is: 24 kHz PCM16 up all the time in 40 ms frames
(25 a second); every 10 s the model answers with 5 s of audio as 25 deltas of 200 ms,
sent at four times real time, with a transcript delta each and the usual lifecycle
events. The bridge is pinned to one core; load client and scripted model share the
other. Stamps travel inside the audio, so latency is measured from end to end.
"""

from __future__ import annotations

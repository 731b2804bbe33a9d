"""Sound in; sound or numbers out: meters, processors and the chain. Knows nothing of files, records or Beam.

`SOUND_VERSION` names the sound of this code: it is part of what decides whether a master must be made again.
"""

SOUND_VERSION = 3
"""Raise this with every change that alters a sample of a master (`tests/dsp/test_sound_version.py` notices)."""

"""Detectors: each sees the windows of a track in order (`push`), and says in the end what it saw and where (`finish`).

They only measure. Whether what they saw is worth a word is decided above, against the limits of a profile.
"""

"""Beam transforms, one verb each, with as little logic as possible: the work itself is in the floors below."""

"""What a mastering engineer decides: measurements and a profile in, settings out, each with its reason. Pure functions."""

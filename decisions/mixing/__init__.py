"""What a mixing engineer decides: stems as heard in, settings of a mix out, each with its reason. Pure functions."""

"""The music of the example catalogue: a small synthesiser, three bands and what they play."""

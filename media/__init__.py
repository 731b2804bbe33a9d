"""Audio files: open, decode in blocks, encode in blocks, tags, on any Beam file system."""

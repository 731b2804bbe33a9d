"""What a mix needs beyond mastering: meters of stems, processors of strips, and the console that adds them up."""

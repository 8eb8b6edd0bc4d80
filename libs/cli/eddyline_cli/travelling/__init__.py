"""Time travel: the vectors that the fold gives at a place of the log, now or long ago."""

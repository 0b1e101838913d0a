"""`zoo demo`: a web page on which the tasks answer. Each task brings its own tab."""

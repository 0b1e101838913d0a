"""Character and token language models: what comes next, sampled by feeding the output back."""

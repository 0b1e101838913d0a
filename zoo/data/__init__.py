"""From a data set to batches: raw examples, splits, tokenizers, pictures, pipelines. Nothing is imported here."""

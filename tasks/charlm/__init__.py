"""Text generation: a language model of characters, words or pieces predicts what comes next and writes on."""

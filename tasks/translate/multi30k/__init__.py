"""Multi30k: captions of photographs, translated by people; fetched from its public repository."""

"""Answers to whole files of lines: block by block, by several processes, resumed where they were interrupted."""

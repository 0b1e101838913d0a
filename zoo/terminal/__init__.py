"""The command line's words: what goes in and out, help, lists, answers, colors. Commands are in `zoo.cli`."""

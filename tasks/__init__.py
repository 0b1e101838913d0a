"""The tasks that come with zoo, a package each; imported as `zoo.tasks`."""

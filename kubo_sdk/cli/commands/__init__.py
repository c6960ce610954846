"""One file for each command, with one function ``run(arguments) -> exit code``, imported when it is called."""

"""The command line: a file a verb, each with `add_parser(subparsers)` and `run(args) -> exit code`."""

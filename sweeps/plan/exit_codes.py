"""What a sweep's exit code means; docs/failures.md has the same list."""

DONE = 0
BAD_INPUT = 2
SOME_FAILED = 3  # done, but some trials failed
STORE = 4  # the tracking store
RESOURCES = 5  # Ray, or what was asked of it
ALREADY_RUNNING = 6  # this sweep, in another process
CANNOT_RESUME = 7
INTERRUPTED = 130  # Ctrl-C
TERMINATED = 143  # SIGTERM

"""The errors that a user can cause and mend: one line each, exit code 2."""


class GaikanError(Exception):
    """Base of every error that is reported as one line; the message says what to do."""


class ConfigError(GaikanError):
    """A key, a value or an argument is wrong."""


class DataError(GaikanError):
    """A source cannot be read or does not hold what the experiment needs."""


class BundleError(GaikanError):
    """A bundle is damaged, is not one, or cannot do what is asked of it."""
